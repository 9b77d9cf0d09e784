import * as pulumi from '@pulumi/pulumi';
import { RdsTelling } from '../../../../components/rds/telling';
import { Recorder } from '../support';
import { account, clusterOf, mockAws, region } from './support';

const tags = { 'holdfast:belongs-to': 'shop', 'holdfast:environment': 'production' };
const topic = `arn:aws:sns:${region}:${account}:shop-telling-topic`;

async function make(telling: object = {}) {
  const { given } = mockAws();
  const recorder = new Recorder();
  new RdsTelling(
    'shop-telling',
    { cluster: clusterOf('production', { telling }), instance: 'shop-db', rpo: 600 },
    recorder.options,
  );
  await recorder.done();
  return { recorder, given };
}

test('events and alarms go to one topic, to which RDS may publish before it is asked to', async () => {
  const { recorder } = await make();
  expect(recorder.lines()).toEqual([
    'holdfast:rds:RdsTelling shop-telling',
    'aws:sns/topic:Topic shop-telling-topic in shop-telling',
    'aws:sns/topicPolicy:TopicPolicy shop-telling-topic-policy in shop-telling',
    'aws:rds/eventSubscription:EventSubscription shop-telling-events in shop-telling after shop-telling-topic-policy',
    'aws:cloudwatch/metricAlarm:MetricAlarm shop-telling-low-storage in shop-telling',
    'aws:cloudwatch/metricAlarm:MetricAlarm shop-telling-not-restorable in shop-telling',
  ]);
});

test('who may publish is said of this topic', async () => {
  const { given } = await make();
  const { arn, policy } = given.get('shop-telling-topic-policy') as { arn: string; policy: string };
  expect(arn).toBe(topic);
  const { Statement: statements } = JSON.parse(policy) as { Statement: { Resource: string }[] };
  expect(statements.map(({ Resource }) => Resource)).toEqual([topic, topic]);
});

test('events of backups, failures, deletion, storage and maintenance of the instance are told', async () => {
  const { given } = await make();
  expect(given.get('shop-telling-events')).toEqual({
    snsTopic: topic,
    sourceType: 'db-instance',
    sourceIds: ['shop-db'],
    eventCategories: ['backup', 'failure', 'deletion', 'low storage', 'maintenance'],
    tags,
  });
});

test('an alarm tells when storage is low', async () => {
  const { given } = await make({ lowStorage: '2 GiB' });
  expect(given.get('shop-telling-low-storage')).toEqual({
    alarmDescription: 'Less storage of shop-db is free than telling.lowStorage.',
    namespace: 'AWS/RDS',
    metricName: 'FreeStorageSpace',
    dimensions: { DBInstanceIdentifier: 'shop-db' },
    statistic: 'Minimum',
    period: 300,
    evaluationPeriods: 2,
    comparisonOperator: 'LessThanThreshold',
    threshold: 2 * 1024 ** 3,
    alarmActions: [topic],
    okActions: [topic],
    tags,
  });
});

test('an alarm tells when more could be lost than the RPO allows, and when nobody knows', async () => {
  const { given } = await make();
  expect(given.get('shop-telling-not-restorable')).toEqual({
    alarmDescription: 'More of shop-db could be lost than the RPO allows, or nothing is known of it.',
    namespace: 'Holdfast',
    metricName: 'SecondsNotRestorable',
    dimensions: { Cluster: 'shop' },
    statistic: 'Maximum',
    period: 300,
    evaluationPeriods: 3,
    comparisonOperator: 'GreaterThanThreshold',
    threshold: 600,
    treatMissingData: 'breaching',
    alarmActions: [topic],
    okActions: [topic],
    tags,
  });
});

test('each read replica that is named has an alarm on its lag', async () => {
  const { given, recorder } = await make({ replicas: ['shop-replica', 'shop-report'], replicaLag: '10 min' });
  expect(given.get('shop-telling-lag-shop-replica')).toMatchObject({
    metricName: 'ReplicaLag',
    dimensions: { DBInstanceIdentifier: 'shop-replica' },
    comparisonOperator: 'GreaterThanThreshold',
    threshold: 600,
    treatMissingData: 'breaching',
    alarmActions: [topic],
  });
  expect(recorder.made.map(({ name }) => name)).toContain('shop-telling-lag-shop-report');
});

test('addresses and the webhook are subscribed, and the webhook’s URL is a secret', async () => {
  const { given } = await make({
    emails: ['oncall@example.com', 'dba+shop@example.com'],
    webhook: 'https://hooks.example.com/sns?token=1',
  });
  expect(given.get('shop-telling-oncall-example-com')).toEqual({
    topic,
    protocol: 'email',
    endpoint: 'oncall@example.com',
  });
  expect(given.has('shop-telling-dba-shop-example-com')).toBe(true);
  const { endpoint, ...others } = given.get('shop-telling-webhook')!;
  expect(others).toEqual({ topic, protocol: 'https' });
  expect(pulumi.runtime.isRpcSecret(endpoint)).toBe(true);
  expect(pulumi.runtime.unwrapRpcSecret(endpoint)).toBe('https://hooks.example.com/sns?token=1');
});
