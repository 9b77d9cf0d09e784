import { awsInstallation } from '../support/aws-provider/install';
import { Provider } from '../support/aws-provider/provider';
import { resourceTypes } from '../support/aws-provider/resource-types';
import { unknown, type Properties } from '../support/aws-provider/values';
import { region, startAws, type TestAws } from '../support/moto/moto';
import { removeTempDirs } from '../support/temp';
import { AwsProject } from './aws-project';

jest.setTimeout(600_000);

let aws: TestAws;
let project: AwsProject;
beforeAll(async () => {
  aws = await startAws();
  project = await AwsProject.create();
});
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

const calls = (action: string) => aws.calls.filter(call => call.action === action).length;

/** What the engine said of a run that had to fail. */
async function failure(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.run(...args);
  expect(code).not.toBe(0);
  return stdout + stderr;
}

const refresh = async () => {
  expect(await project.run('refresh', '--yes', '--skip-preview')).toMatchObject({ code: 0 });
};

// One stack, from its first preview to its end: each test goes on where the one before it stopped.
describe('the provider for tests', () => {
  test('previews a stack without making anything of it', async () => {
    expect(new Set(await project.plan())).toContain('create instance');
    expect(aws.calls.filter(({ action }) => /^(Create|Put|Authorize)/.test(action))).toEqual([]);
  });

  test('makes one resource of every type', async () => {
    await project.up();
    const types = new Set((await project.states()).map(({ type }) => type));
    expect([...types].sort()).toEqual(expect.arrayContaining(Object.keys(resourceTypes).sort()));
    const { id, outputs } = await project.state('instance');
    expect(id).toMatch(/^db-[A-Z0-9]+$/);
    expect(outputs).toMatchObject({
      resourceId: id,
      endpoint: 'localhost:5432',
      engineVersion: '16',
      dbSubnetGroupName: (await project.state('subnets')).outputs.name,
      vpcSecurityGroupIds: [(await project.state('group')).id],
      tagsAll: { team: 'shop' },
    });
  });

  test('finds nothing to change afterwards, nor after a refresh', async () => {
    expect(await project.plan()).toEqual([]);
    await refresh();
    expect(await project.plan()).toEqual([]);
  });

  test('keeps secrets secret', () => {
    const state = project.stateText();
    expect(state).toContain('shop-staging');
    for (const secret of ['correct horse battery', 'said in secret', 'known to nobody'])
      expect(state).not.toContain(secret);
  });

  test('changes in place what can be, by the calls that AWS has for it', async () => {
    const before = await project.state('staging');
    const changes = {
      instance: {
        instanceClass: 'db.m7g.xlarge',
        backupRetentionPeriod: 21,
        applyImmediately: true,
        enabledCloudwatchLogsExports: ['postgresql', 'upgrade'],
        tags: { team: 'data' },
      },
      staging: { identifier: 'shop-trial', applyImmediately: true },
      parameters: { parameters: [{ name: 'log_statement', value: 'all' }] },
      events: { eventCategories: ['backup'], sourceIds: ['shop', 'shop-trial'] },
      key: { description: 'of the shop', enableKeyRotation: false },
      alarm: { threshold: 5 },
      topic: { displayName: 'Shop' },
      logs: { retentionInDays: 90 },
      job: { memorySize: 256 },
      schedule: { scheduleExpression: 'rate(10 minutes)' },
      queue: { messageRetentionSeconds: 86_400 },
      in: { cidrIpv4: '10.2.0.0/16' },
      plan: { rules: [{ ruleName: 'weekly', targetVaultName: 'another' }] },
    };
    project.declare(changes);
    const steps = await project.plan();
    expect(steps.sort()).toEqual(
      Object.keys(changes)
        .map(name => `update ${name}`)
        .sort(),
    );
    await project.up(changes);
    expect((await project.state('instance')).outputs).toMatchObject({
      instanceClass: 'db.m7g.xlarge',
      backupRetentionPeriod: 21,
      enabledCloudwatchLogsExports: ['postgresql', 'upgrade'],
      tagsAll: { team: 'data' },
    });
    // Renamed, it is still the same instance.
    expect(await project.state('staging')).toMatchObject({
      id: before.id,
      outputs: { identifier: 'shop-trial', arn: expect.stringMatching(/:shop-trial$/) as string },
    });
    expect(calls('ResetDBParameterGroup')).toBe(1);
    expect(await project.plan()).toEqual([]);
    await project.up({ instance: { applyImmediately: true }, staging: { applyImmediately: true } });
    expect((await project.state('staging')).outputs.identifier).toBe('shop-staging');
    await project.up();
  });

  test('replaces what can’t be changed, under another name before the old one is gone', async () => {
    const [create, destroy] = ['CreateDBParameterGroup', 'DeleteDBParameterGroup'];
    const order = () =>
      aws.calls.map(({ action }) => action).filter(action => action === create || action === destroy);
    const parameters = { name: 'shop-17', family: 'postgres17', parameters: [] };
    aws.heal();
    await project.up({ parameters });
    expect(order()).toEqual([create, destroy]);
    expect((await project.state('instance')).outputs.parameterGroupName).toBe('shop-17');
    // The same name can't be had twice.
    aws.heal();
    await project.up({ parameters, spare: { family: 'postgres17' } });
    expect(order()).toEqual([destroy, create]);
    await project.up();
  });

  test('replaces an instance for its encryption, and not for its storage that has grown', async () => {
    project.declare({ staging: { storageEncrypted: true } });
    expect(await project.plan()).toContain('replace staging');
    aws.rewrite(/DescribeDBInstances/, answer =>
      answer.replaceAll('<AllocatedStorage>100<', '<AllocatedStorage>180<'),
    );
    project.declare({});
    await refresh();
    expect(await project.plan()).toEqual([]);
    aws.heal();
    await refresh();
  });

  test('notices on refresh what somebody else changed, and undoes it', async () => {
    await aws.ask('rds', {
      Action: 'ModifyDBInstance',
      Version: '2014-10-31',
      DBInstanceIdentifier: 'shop',
      BackupRetentionPeriod: '1',
      ApplyImmediately: 'true',
    });
    expect(await project.plan('--refresh')).toEqual(expect.arrayContaining(['update instance']));
    expect(await project.run('up', '--refresh', '--yes', '--skip-preview')).toMatchObject({ code: 0 });
    expect((await project.state('instance')).outputs.backupRetentionPeriod).toBe(14);
  });

  test('refuses in the preview what the SDK or AWS’s model doesn’t have', async () => {
    project.declare({ raw: { visibilitySeconds: 30 } });
    expect(await failure('preview')).toContain('visibilitySeconds: unknown property');
    project.declare({ alarm: { comparisonOperator: 'Below' } });
    const said = await failure('preview');
    expect(said).toContain('comparisonOperator: AWS allows GreaterThanOrEqualToThreshold, ');
    expect(said).not.toContain('correct horse battery');
  });

  test('refuses to delete what is protected, or has no name for its last snapshot', async () => {
    await project.up({ staging: { deletionProtection: true } });
    project.declare({ staging: null });
    expect(await failure('up', '--yes', '--skip-preview')).toMatch(/deletion protection/i);
    await project.up({ staging: { skipFinalSnapshot: false } });
    project.declare({ staging: null });
    expect(await failure('up', '--yes', '--skip-preview')).toContain('finalSnapshotIdentifier is required');
    expect((await project.state('staging')).outputs.identifier).toBe('shop-staging');
  });

  test('deletes everything, the instance after its last snapshot', async () => {
    await project.up({ instance: { deletionProtection: false }, staging: {} });
    expect(await project.run('destroy', '--yes', '--skip-preview')).toMatchObject({ code: 0 });
    expect(await project.states()).toEqual([]);
    const snapshots = await aws.ask('rds', { Action: 'DescribeDBSnapshots', Version: '2014-10-31' });
    expect(snapshots).toContain('<DBSnapshotIdentifier>shop-final</DBSnapshotIdentifier>');
  });
});

let provider: Provider;
beforeAll(async () => {
  provider = new Provider(await awsInstallation());
  provider.configure({ region, defaultTags: '{"tags":{"stack":"prod"}}' });
});
afterAll(() => provider.close());

describe('an instance', () => {
  const token = 'aws:rds/instance:Instance';
  const shop = { engine: 'postgres', instanceClass: 'db.t4g.small', allocatedStorage: 20, username: 'shop' };
  const ask = (action: string, parameters: Readonly<Record<string, string>>) =>
    aws.ask('rds', { Action: action, Version: '2014-10-31', ...parameters });

  test('is made new, from a snapshot, from a moment, or as a replica', async () => {
    const instances = provider.lifecycle(token);
    const { state } = await instances.create({ ...shop, identifier: 'source', backupRetentionPeriod: 7 });
    expect(state).toMatchObject({ identifier: 'source', tagsAll: { stack: 'prod' }, tags: {} });
    await ask('CreateDBSnapshot', { DBInstanceIdentifier: 'source', DBSnapshotIdentifier: 'taken' });
    const copy = { instanceClass: 'db.t4g.small', backupRetentionPeriod: 3 };
    const origins = {
      'of-snapshot': { snapshotIdentifier: 'taken' },
      'of-moment': {
        restoreToPointInTime: { sourceDbInstanceIdentifier: 'source', useLatestRestorableTime: true },
      },
      'of-replica': { replicateSourceDb: 'source' },
    };
    for (const [identifier, origin] of Object.entries(origins)) {
      const inputs = { ...copy, ...origin, identifier };
      expect(instances.check(inputs, {}, () => '').refusals).toEqual([]);
      const made = await instances.create(inputs);
      expect(made.id).not.toBe(state.resourceId);
      // Where the operation has no parameter for it, a second call sets it.
      expect(made.state).toMatchObject({ identifier, engine: 'postgres', backupRetentionPeriod: 3 });
    }
  });

  test('that exists is imported by its name', async () => {
    const importing = await AwsProject.create();
    const args = ['--yes', '--skip-preview', '--generate-code=false'];
    expect(await importing.run('import', token, 'old', 'source', ...args)).toMatchObject({ code: 0 });
    const old = await importing.state('old');
    expect(old.id).toMatch(/^db-/);
    expect(old.inputs).toMatchObject({ ...shop, identifier: 'source', backupRetentionPeriod: 7 });
    const { stdout } = await importing.run('import', token, 'none', 'nowhere', ...args);
    expect(stdout).toContain("'nowhere' does not exist");
  });
});

describe('it refuses', () => {
  const refusals = (token: string, inputs: Properties) =>
    provider
      .lifecycle(token)
      .check(inputs, {}, () => 'made-up')
      .refusals.map(({ property, reason }) => `${property}: ${reason}`);

  const instance = {
    engine: 'postgres',
    instanceClass: 'db.t4g.small',
    allocatedStorage: 20,
    username: 'shop',
  };
  const alarm = { comparisonOperator: 'LessThanThreshold', evaluationPeriods: 1 };
  const target = { arn: 'arn:aws:sqs:eu-central-1:1:q', roleArn: 'arn:aws:iam::123456789012:role/r' };
  const schedule = { scheduleExpression: 'rate(5 minutes)', flexibleTimeWindow: { mode: 'OFF' }, target };
  const cases: [string, string, Properties, Properties, string][] = [
    [
      'a misspelt property',
      'aws:rds/instance:Instance',
      instance,
      { multiAZ: true },
      'multiAZ: unknown property (there is multiAz)',
    ],
    [
      'one below another',
      'aws:scheduler/schedule:Schedule',
      schedule,
      { target: { ...target, retrys: 1 } },
      'target.retrys: unknown property',
    ],
    [
      'another type',
      'aws:rds/instance:Instance',
      instance,
      { allocatedStorage: '20' },
      'allocatedStorage: expected a number, not a string',
    ],
    [
      'a list that isn’t one',
      'aws:rds/instance:Instance',
      instance,
      { vpcSecurityGroupIds: 'sg-1' },
      'vpcSecurityGroupIds: expected a list, not a string',
    ],
    [
      'what is missing',
      'aws:scheduler/schedule:Schedule',
      schedule,
      { target: null },
      'target: missing required property',
    ],
    [
      'what AWS misses',
      'aws:rds/instance:Instance',
      instance,
      { engine: null },
      ': AWS requires it (CreateDBInstance: Engine)',
    ],
    [
      'a value that AWS doesn’t enumerate',
      'aws:cloudwatch/metricAlarm:MetricAlarm',
      alarm,
      { statistic: 'Median' },
      'statistic: AWS allows SampleCount, Average, Sum, Minimum, Maximum, not "Median" (PutMetricAlarm: Statistic)',
    ],
    [
      'one below another',
      'aws:scheduler/schedule:Schedule',
      schedule,
      { flexibleTimeWindow: { mode: 'ON' } },
      'flexibleTimeWindow: AWS allows OFF, FLEXIBLE, not "ON" (CreateSchedule: FlexibleTimeWindow.Mode)',
    ],
    [
      'a number out of range',
      'aws:cloudwatch/metricAlarm:MetricAlarm',
      alarm,
      { evaluationPeriods: 0 },
      'evaluationPeriods: AWS allows no less than 1, not 0 (PutMetricAlarm: EvaluationPeriods)',
    ],
    [
      'a name that is too long',
      'aws:iam/role:Role',
      { assumeRolePolicy: '{}' },
      { name: 'r'.repeat(65) },
      'name: AWS allows no more than a length of 64, not 65 (CreateRole: RoleName)',
    ],
    [
      'a name that AWS’s pattern forbids',
      'aws:backup/vault:Vault',
      {},
      { name: 'a vault' },
      'name: AWS allows what matches ^[a-zA-Z0-9\\-\\_]{2,50}$ (CreateBackupVault: BackupVaultName)',
    ],
    [
      'what is only in the documents',
      'aws:rds/instance:Instance',
      instance,
      { backupRetentionPeriod: 36 },
      'backupRetentionPeriod: AWS keeps automated backups for 0 to 35 days',
    ],
    [
      'what has a call of its own',
      'aws:cloudwatch/logGroup:LogGroup',
      {},
      { retentionInDays: 31 },
      'retentionInDays: AWS allows 0, 1, 3',
    ],
    [
      'a password that is given and managed',
      'aws:rds/instance:Instance',
      instance,
      { password: 'a secret', manageMasterUserPassword: true },
      'password: it is either given or managed by AWS: manageMasterUserPassword',
    ],
    [
      'what it has no call for',
      'aws:ec2/securityGroup:SecurityGroup',
      { description: 'of the database' },
      { ingress: [] },
      'ingress: aws:ec2/securityGroup:SecurityGroup: the provider for tests does not carry it',
    ],
  ];
  test.each(cases)('%s (%s)', (_, token, valid, mutation, reason) => {
    expect(refusals(token, valid)).toEqual([]);
    expect(refusals(token, { ...valid, ...mutation })).toEqual([expect.stringContaining(reason)]);
  });

  test('types and functions that it doesn’t carry', async () => {
    expect(() => provider.lifecycle('aws:s3/bucket:Bucket')).toThrow('carries no aws:s3/bucket:Bucket');
    await expect(provider.invoke('aws:s3/getBucket:getBucket', {})).rejects.toThrow(
      'carries no aws:s3/getBucket',
    );
  });

  test('nothing that isn’t known yet', () => {
    expect(refusals('aws:cloudwatch/metricAlarm:MetricAlarm', { ...alarm, statistic: unknown })).toEqual([]);
    const names = { identifier: unknown, finalSnapshotIdentifier: unknown };
    expect(refusals('aws:rds/instance:Instance', { ...instance, ...names })).toEqual([]);
    expect(refusals('aws:kms/alias:Alias', { name: unknown, targetKeyId: unknown })).toEqual([]);
  });

  test('to start where AWS is not moto on this machine', async () => {
    const stranger = await AwsProject.create({ AWS_ENDPOINT_URL: '' });
    const { code, stdout, stderr } = await stranger.run('preview');
    expect(code).not.toBe(0);
    expect(stdout + stderr).toContain('AWS_ENDPOINT_URL has to be moto’s');
  });
});
