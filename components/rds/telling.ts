import * as cloudwatch from '@pulumi/aws/cloudwatch';
import * as rds from '@pulumi/aws/rds';
import * as sns from '@pulumi/aws/sns';
import * as pulumi from '@pulumi/pulumi';
import { restorableMetric } from '../../core/rds/metric';
import { topicDocument } from '../../core/rds/permissions/document';
import { tagsFor, type RdsCluster } from './context';

export interface RdsTellingArgs {
  readonly cluster: RdsCluster;
  /** Identifier of the instance, once it is there. */
  readonly instance: pulumi.Input<string>;
  /** Recovery point objective, in seconds. */
  readonly rpo: number;
}

/** What of RDS's events somebody should know of. */
const eventCategories = ['backup', 'failure', 'deletion', 'low storage', 'maintenance'];

/**
 * Who is told, by AWS itself: events of the instance, and alarms on what no event tells. It works while no job runs.
 *
 * Its messages have names and figures, no data: they are not encrypted with a key of ours, which the services that publish
 * would have to be let use.
 */
export class RdsTelling extends pulumi.ComponentResource {
  /** ARN of the topic; further alarms tell there, too. */
  readonly topicArn: pulumi.Output<string>;

  constructor(name: string, args: RdsTellingArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:rds:RdsTelling', name, {}, opts);
    const { cluster, instance } = args;
    const tags = tagsFor(cluster);
    const here = { parent: this };

    const topic = new sns.Topic(`${name}-topic`, { tags }, here);
    const policy = new sns.TopicPolicy(
      `${name}-topic-policy`,
      {
        arn: topic.arn,
        policy: pulumi.all([topic.arn, cluster.place]).apply(([arn, place]) => topicDocument(arn, place)),
      },
      here,
    );
    this.topicArn = topic.arn;
    this.subscribe(name, cluster);
    new rds.EventSubscription(
      `${name}-events`,
      { snsTopic: topic.arn, sourceType: 'db-instance', sourceIds: [instance], eventCategories, tags },
      // RDS refuses one to whose topic it may not publish.
      { ...here, dependsOn: [policy] },
    );
    for (const [suffix, alarm] of alarms(args))
      new cloudwatch.MetricAlarm(
        `${name}-${suffix}`,
        { ...alarm, alarmActions: [topic.arn], okActions: [topic.arn], tags },
        here,
      );
    this.registerOutputs({ topicArn: this.topicArn });
  }

  private subscribe(name: string, { settings: { telling } }: RdsCluster) {
    const here = { parent: this };
    telling.emails.forEach(email => {
      new sns.TopicSubscription(
        `${name}-${email.replaceAll(/[^a-z0-9]+/gi, '-')}`,
        { topic: this.topicArn, protocol: 'email', endpoint: email },
        here,
      );
    });
    if (telling.webhook !== undefined)
      new sns.TopicSubscription(
        `${name}-webhook`,
        { topic: this.topicArn, protocol: 'https', endpoint: pulumi.secret(telling.webhook) },
        here,
      );
  }
}

const bytesOfGibibyte = 1024 ** 3;

type Alarm = Omit<cloudwatch.MetricAlarmArgs, 'alarmActions' | 'okActions' | 'tags'>;

/** The alarms of an instance, each with how it is called in the program. */
export function alarms({ cluster, instance, rpo }: RdsTellingArgs): [suffix: string, alarm: Alarm][] {
  const { telling, instance: identifier } = cluster.settings;
  return [
    [
      'low-storage',
      {
        alarmDescription: `Less storage of ${identifier} is free than telling.lowStorage.`,
        namespace: 'AWS/RDS',
        metricName: 'FreeStorageSpace',
        dimensions: { DBInstanceIdentifier: instance },
        statistic: 'Minimum',
        period: 300,
        evaluationPeriods: 2,
        comparisonOperator: 'LessThanThreshold',
        threshold: telling.lowStorage * bytesOfGibibyte,
      },
    ],
    [
      'not-restorable',
      {
        alarmDescription: `More of ${identifier} could be lost than the RPO allows, or nothing is known of it.`,
        namespace: restorableMetric.namespace,
        metricName: restorableMetric.name,
        dimensions: { [restorableMetric.dimension]: cluster.cluster },
        statistic: 'Maximum',
        period: 300,
        evaluationPeriods: 3,
        comparisonOperator: 'GreaterThanThreshold',
        threshold: rpo,
        treatMissingData: 'breaching',
      },
    ],
    ...telling.replicas.map((replica): [string, Alarm] => [
      `lag-${replica}`,
      {
        alarmDescription: `${replica} is further behind ${identifier} than telling.replicaLag, or says nothing.`,
        namespace: 'AWS/RDS',
        metricName: 'ReplicaLag',
        dimensions: { DBInstanceIdentifier: replica },
        statistic: 'Maximum',
        period: 300,
        evaluationPeriods: 2,
        comparisonOperator: 'GreaterThanThreshold',
        threshold: telling.replicaLag,
        treatMissingData: 'breaching',
      },
    ]),
  ];
}
