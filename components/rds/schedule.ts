import * as cloudwatch from '@pulumi/aws/cloudwatch';
import * as iam from '@pulumi/aws/iam';
import * as lambda from '@pulumi/aws/lambda';
import * as scheduler from '@pulumi/aws/scheduler';
import * as sqs from '@pulumi/aws/sqs';
import * as pulumi from '@pulumi/pulumi';
import { logGroupName, type UnattendedCall } from '../../core/rds/names';
import { policyDocument, trustDocument, type Statement } from '../../core/rds/permissions/document';
import { jobStatements } from '../../core/rds/permissions/jobs';
import { lambdaStatements, schedulerStatements } from '../../core/rds/permissions/lambda';
import { tagsFor, type RdsCluster } from './context';

export interface RdsScheduleArgs {
  readonly cluster: RdsCluster;
  /** The bundled program, which exports `handler`. */
  readonly program: { readonly file: string };
  /** ARN of the KMS key that encrypts the instance, if it is encrypted. */
  readonly keyArn: pulumi.Input<string | undefined>;
  /** ARN of the topic that is told when nothing succeeds. */
  readonly topicArn: pulumi.Input<string>;
}

/** The jobs neither wait nor run for long; one check of a large table does. AWS ends a Lambda after 15 minutes. */
const timeoutSeconds = 900;

/**
 * The unattended side: a Lambda with the bundled program, which the scheduler calls every five minutes to run what is due. A call that
 * failed isn't repeated, because the next one follows; it is kept in a queue. When none has succeeded for half an hour, an
 * alarm tells.
 *
 * It is in the VPC only when it has to speak SQL, in the subnets of the settings.
 */
export class RdsSchedule extends pulumi.ComponentResource {
  constructor(name: string, args: RdsScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:rds:RdsSchedule', name, {}, opts);
    const tags = tagsFor(args.cluster);
    const here = { parent: this };

    const queue = new sqs.Queue(
      `${name}-failed`,
      { messageRetentionSeconds: 1_209_600, sqsManagedSseEnabled: true, tags },
      here,
    );
    const job = this.lambda(name, args, queue);
    new lambda.FunctionEventInvokeConfig(
      `${name}-calls`,
      {
        functionName: job.name,
        maximumRetryAttempts: 0,
        maximumEventAgeInSeconds: 300,
        destinationConfig: { onFailure: { destination: queue.arn } },
      },
      here,
    );
    this.everyFiveMinutes(name, args.cluster, job, queue);
    new cloudwatch.MetricAlarm(
      `${name}-silent`,
      {
        ...absenceOfSuccess(job.name),
        alarmDescription: `The unattended jobs of ${args.cluster.cluster} have not succeeded for half an hour.`,
        alarmActions: [args.topicArn],
        okActions: [args.topicArn],
        tags,
      },
      here,
    );
    this.registerOutputs();
  }

  private lambda(
    name: string,
    { cluster, program, keyArn }: RdsScheduleArgs,
    queue: sqs.Queue,
  ): lambda.Function {
    const { settings, place } = cluster;
    const { network, logRetentionDays } = settings.unattended;
    const tags = tagsFor(cluster);
    const here = { parent: this };
    const log = new cloudwatch.LogGroup(
      `${name}-log`,
      { name: logGroupName(cluster.cluster, 'run-due'), retentionInDays: logRetentionDays, tags },
      here,
    );
    const { role, permissions } = this.role(
      `${name}-role`,
      'lambda.amazonaws.com',
      cluster,
      pulumi.all([place, queue.arn, keyArn]).apply(([at, queueArn, key]) => [
        ...lambdaStatements({
          ...at,
          cluster: cluster.cluster,
          queue: queueArn,
          inVpc: network !== undefined,
        }),
        ...jobStatements(
          { ...at, cluster: cluster.cluster, instance: settings.instance },
          key === undefined ? [] : [key],
        ),
      ]),
    );
    return new lambda.Function(
      `${name}-run-due`,
      {
        description: `Runs what is due of cluster ${cluster.cluster}`,
        runtime: 'nodejs22.x',
        architectures: ['arm64'],
        code: new pulumi.asset.AssetArchive({ 'holdfast.cjs': new pulumi.asset.FileAsset(program.file) }),
        handler: 'holdfast.handler',
        role: role.arn,
        memorySize: 512,
        timeout: timeoutSeconds,
        // The certificate authorities of RDS, which Node.js doesn't know by itself.
        environment: { variables: { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' } },
        loggingConfig: { logFormat: 'Text', logGroup: log.name },
        ...(network === undefined
          ? {}
          : {
              vpcConfig: { subnetIds: [...network.subnets], securityGroupIds: [...network.securityGroups] },
            }),
        tags,
      },
      { ...here, dependsOn: [permissions] },
    );
  }

  private everyFiveMinutes(name: string, cluster: RdsCluster, job: lambda.Function, queue: sqs.Queue): void {
    const { role, permissions } = this.role(
      `${name}-scheduler`,
      'scheduler.amazonaws.com',
      cluster,
      pulumi.all([job.arn, queue.arn]).apply(([arn, queueArn]) => schedulerStatements(arn, queueArn)),
    );
    const call: UnattendedCall = { command: 'run-due', cluster: cluster.cluster };
    new scheduler.Schedule(
      `${name}-every-five-minutes`,
      {
        description: `Runs what is due of cluster ${cluster.cluster}`,
        scheduleExpression: 'rate(5 minutes)',
        flexibleTimeWindow: { mode: 'OFF' },
        target: {
          arn: job.arn,
          roleArn: role.arn,
          input: JSON.stringify(call),
          retryPolicy: { maximumEventAgeInSeconds: 300, maximumRetryAttempts: 2 },
          deadLetterConfig: { arn: queue.arn },
        },
      },
      { parent: this, dependsOn: [permissions] },
    );
  }

  /** A role of a service, and what it may. */
  private role(
    name: string,
    service: string,
    cluster: RdsCluster,
    statements: pulumi.Output<Statement[]>,
  ): { readonly role: iam.Role; readonly permissions: iam.RolePolicy } {
    const role = new iam.Role(
      name,
      {
        description: `Unattended jobs of cluster ${cluster.cluster}`,
        assumeRolePolicy: cluster.place.apply(place => trustDocument(service, place)),
        tags: tagsFor(cluster),
      },
      { parent: this },
    );
    const permissions = new iam.RolePolicy(
      `${name}-permissions`,
      { role: role.name, policy: statements.apply(policyDocument) },
      { parent: this },
    );
    return { role, permissions };
  }
}

/** Fewer than one success in each of two quarters of an hour; no call at all is none. */
function absenceOfSuccess(functionName: pulumi.Input<string>) {
  const metric = (metricName: string) => ({
    namespace: 'AWS/Lambda',
    metricName,
    dimensions: { FunctionName: functionName },
    period: 900,
    stat: 'Sum',
  });
  return {
    metricQueries: [
      { id: 'calls', metric: metric('Invocations') },
      { id: 'failures', metric: metric('Errors') },
      { id: 'successes', expression: 'calls - failures', label: 'runs that succeeded', returnData: true },
    ],
    comparisonOperator: 'LessThanThreshold',
    threshold: 1,
    evaluationPeriods: 2,
    treatMissingData: 'breaching',
  };
}
