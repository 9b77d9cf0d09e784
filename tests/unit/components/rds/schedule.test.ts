import type * as pulumi from '@pulumi/pulumi';
import { RdsSchedule } from '../../../../components/rds/schedule';
import { Recorder } from '../support';
import { account, clusterOf, mockAws, region } from './support';

const tags = { 'holdfast:belongs-to': 'shop', 'holdfast:environment': 'production' };
const arn = (service: string, name: string) => `arn:aws:${service}:${region}:${account}:${name}`;
const topicArn = arn('sns', 'topic');
const queueArn = arn('sqs', 'shop-schedule-failed');
const keyArn = arn('kms', 'key/instance');

async function make(unattended: object = {}) {
  const { given } = mockAws();
  const recorder = new Recorder();
  new RdsSchedule(
    'shop-schedule',
    {
      cluster: clusterOf('production', { unattended }),
      program: { file: __filename },
      keyArn,
      topicArn,
    },
    recorder.options,
  );
  await recorder.done();
  return { recorder, given };
}

const permissionsOf = (given: Map<string, Record<string, unknown>>, role: string) => {
  const { policy } = given.get(`${role}-permissions`) as { policy: string };
  return (JSON.parse(policy) as { Statement: { Sid: string; Action: string[]; Resource: string[] }[] })
    .Statement;
};

test('one Lambda, its log, queue, role and schedule, and an alarm on its silence', async () => {
  const { recorder } = await make();
  expect(recorder.lines()).toEqual([
    'holdfast:rds:RdsSchedule shop-schedule',
    'aws:sqs/queue:Queue shop-schedule-failed in shop-schedule',
    'aws:cloudwatch/logGroup:LogGroup shop-schedule-log in shop-schedule',
    'aws:iam/role:Role shop-schedule-role in shop-schedule',
    'aws:iam/rolePolicy:RolePolicy shop-schedule-role-permissions in shop-schedule',
    'aws:lambda/function:Function shop-schedule-run-due in shop-schedule after shop-schedule-role-permissions',
    'aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig shop-schedule-calls in shop-schedule',
    'aws:iam/role:Role shop-schedule-scheduler in shop-schedule',
    'aws:iam/rolePolicy:RolePolicy shop-schedule-scheduler-permissions in shop-schedule',
    'aws:scheduler/schedule:Schedule shop-schedule-every-five-minutes in shop-schedule after shop-schedule-scheduler-permissions',
    'aws:cloudwatch/metricAlarm:MetricAlarm shop-schedule-silent in shop-schedule',
  ]);
});

test('the Lambda runs the bundled program, outside of the VPC, and trusts the authorities of RDS', async () => {
  const { given } = await make();
  const { code, ...others } = given.get('shop-schedule-run-due')!;
  expect(others).toEqual({
    description: 'Runs what is due of cluster shop',
    runtime: 'nodejs22.x',
    architectures: ['arm64'],
    handler: 'holdfast.handler',
    role: arn('iam', 'shop-schedule-role'),
    memorySize: 512,
    timeout: 900,
    environment: { variables: { NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' } },
    loggingConfig: { logFormat: 'Text', logGroup: '/holdfast/shop/run-due' },
    tags,
  });
  const { assets } = code as pulumi.asset.AssetArchive;
  const files = (await assets) as Record<string, pulumi.asset.FileAsset>;
  expect(Object.keys(files)).toEqual(['holdfast.cjs']);
  expect(await files['holdfast.cjs']!.path).toBe(__filename);
});

test('where it has to speak SQL it is in the VPC, and may be there', async () => {
  const network = { subnets: ['subnet-0a1b2c3d4e5f60718'], securityGroups: ['sg-00000000000000003'] };
  const { given } = await make({ network });
  expect(given.get('shop-schedule-run-due')).toMatchObject({
    vpcConfig: { subnetIds: network.subnets, securityGroupIds: network.securityGroups },
  });
  const inside = permissionsOf(given, 'shop-schedule-role').map(({ Sid }) => Sid);
  expect(inside).toContain('BeInTheNetwork');
  const outside = permissionsOf((await make()).given, 'shop-schedule-role').map(({ Sid }) => Sid);
  expect(outside).not.toContain('BeInTheNetwork');
});

test('its log is kept for as long as the settings say', async () => {
  const { given } = await make({ logRetentionDays: 365 });
  expect(given.get('shop-schedule-log')).toEqual({
    name: '/holdfast/shop/run-due',
    retentionInDays: 365,
    tags,
  });
});

test('its role is the Lambda’s only, and may what jobs on this instance take', async () => {
  const { given } = await make();
  expect(given.get('shop-schedule-role')?.assumeRolePolicy).toContain('"Service":"lambda.amazonaws.com"');
  const statements = permissionsOf(given, 'shop-schedule-role');
  const resourcesOf = (sid: string) => statements.find(({ Sid }) => Sid === sid)?.Resource;
  expect(resourcesOf('TakeSnapshots')).toEqual([arn('rds', 'db:shop-db'), arn('rds', 'snapshot:hf-shop-*')]);
  expect(resourcesOf('HandOverFailedCalls')).toEqual([queueArn]);
  expect(resourcesOf('UseKeys')).toEqual([keyArn]);
});

test('a call that failed isn’t repeated, and is kept for two weeks', async () => {
  const { given } = await make();
  expect(given.get('shop-schedule-failed')).toEqual({
    messageRetentionSeconds: 14 * 86_400,
    sqsManagedSseEnabled: true,
    tags,
  });
  expect(given.get('shop-schedule-calls')).toEqual({
    functionName: 'shop-schedule-run-due',
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: 300,
    destinationConfig: { onFailure: { destination: queueArn } },
  });
});

test('the scheduler calls it every five minutes with run-due, and may call nothing else', async () => {
  const { given } = await make();
  const lambdaArn = arn('lambda', 'shop-schedule-run-due');
  expect(given.get('shop-schedule-every-five-minutes')).toEqual({
    description: 'Runs what is due of cluster shop',
    scheduleExpression: 'rate(5 minutes)',
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: lambdaArn,
      roleArn: arn('iam', 'shop-schedule-scheduler'),
      input: '{"command":"run-due","cluster":"shop"}',
      retryPolicy: { maximumEventAgeInSeconds: 300, maximumRetryAttempts: 2 },
      deadLetterConfig: { arn: queueArn },
    },
  });
  expect(given.get('shop-schedule-scheduler')?.assumeRolePolicy).toContain('scheduler.amazonaws.com');
  expect(permissionsOf(given, 'shop-schedule-scheduler')).toEqual([
    { Sid: 'Call', Effect: 'Allow', Action: ['lambda:InvokeFunction'], Resource: [lambdaArn] },
    { Sid: 'HandOverFailedCalls', Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [queueArn] },
  ]);
});

test('an alarm tells when nothing succeeded for half an hour, and when nothing ran', async () => {
  const { given } = await make();
  const metric = (metricName: string) => ({
    namespace: 'AWS/Lambda',
    metricName,
    dimensions: { FunctionName: 'shop-schedule-run-due' },
    period: 900,
    stat: 'Sum',
  });
  expect(given.get('shop-schedule-silent')).toEqual({
    alarmDescription: 'The unattended jobs of shop have not succeeded for half an hour.',
    metricQueries: [
      { id: 'calls', metric: metric('Invocations') },
      { id: 'failures', metric: metric('Errors') },
      { id: 'successes', expression: 'calls - failures', label: 'runs that succeeded', returnData: true },
    ],
    comparisonOperator: 'LessThanThreshold',
    threshold: 1,
    evaluationPeriods: 2,
    treatMissingData: 'breaching',
    alarmActions: [topicArn],
    okActions: [topicArn],
    tags,
  });
});
