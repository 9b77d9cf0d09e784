import { RdsInstance } from '../../../../components/rds/instance';
import type { ManagedInstance } from '../../../../core/settings/rds';
import type { Environment } from '../../../../core/settings/stack';
import { Recorder, valueOf } from '../support';
import { account, clusterOf, managed, mockAws, region } from './support';

async function make(environment: Environment, source: object = {}, settings: object = {}) {
  const { given } = mockAws();
  const cluster = clusterOf(environment, { ...settings, source: { ...managed, ...source } });
  const recorder = new Recorder();
  const made = new RdsInstance(
    'shop-instance',
    { cluster, source: cluster.settings.source as ManagedInstance },
    recorder.options,
  );
  const keyArn = await valueOf(made.keyArn);
  const quarantine = await valueOf(made.quarantine);
  await recorder.done();
  return { recorder, given, keyArn, quarantine, db: given.get('shop-instance-db')! };
}

const tags = { 'holdfast:belongs-to': 'shop', 'holdfast:environment': 'production' };
const key = `arn:aws:kms:${region}:${account}:shop-instance-key`;

describe('an instance of production', () => {
  test('lies in its own key, network and parameters, and what holds data is protected', async () => {
    const { recorder } = await make('production');
    expect(recorder.lines()).toEqual([
      'holdfast:rds:RdsInstance shop-instance',
      'aws:kms/key:Key shop-instance-key in shop-instance, protected',
      'aws:ec2/securityGroup:SecurityGroup shop-instance-access in shop-instance',
      'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule shop-instance-access-sg-00000000000000001 in shop-instance',
      'aws:ec2/securityGroup:SecurityGroup shop-instance-quarantine in shop-instance',
      'aws:rds/subnetGroup:SubnetGroup shop-instance-subnets in shop-instance',
      'aws:rds/parameterGroup:ParameterGroup shop-instance-parameters in shop-instance',
      'aws:rds/instance:Instance shop-instance-db in shop-instance, protected',
    ]);
  });

  test('is encrypted, private, standby, backed up and kept, and never made from another', async () => {
    const { db } = await make('production');
    expect(db).toEqual({
      identifier: 'shop-db',
      engine: 'postgres',
      engineVersion: '17.6',
      autoMinorVersionUpgrade: false,
      allowMajorVersionUpgrade: false,
      instanceClass: 'db.m7g.large',
      multiAz: true,
      storageType: 'gp3',
      allocatedStorage: 100,
      maxAllocatedStorage: 1024,
      storageEncrypted: true,
      kmsKeyId: key,
      dbSubnetGroupName: 'shop-instance-subnets',
      vpcSecurityGroupIds: ['shop-instance-access-id'],
      publiclyAccessible: false,
      port: 5432,
      parameterGroupName: 'shop-db-postgres17',
      username: 'holdfast',
      manageMasterUserPassword: true,
      masterUserSecretKmsKeyId: key,
      iamDatabaseAuthenticationEnabled: false,
      backupRetentionPeriod: 14,
      backupWindow: '00:30-01:00',
      maintenanceWindow: 'sun:04:30-sun:05:30',
      copyTagsToSnapshot: true,
      deleteAutomatedBackups: false,
      deletionProtection: true,
      skipFinalSnapshot: false,
      finalSnapshotIdentifier: expect.stringMatching(/^shop-db-final-[0-9a-f]{12}$/) as string,
      applyImmediately: false,
      enabledCloudwatchLogsExports: ['postgresql', 'upgrade'],
      performanceInsightsEnabled: true,
      performanceInsightsRetentionPeriod: 7,
      performanceInsightsKmsKeyId: key,
      tags,
    });
  });

  test('ignores no change: storage that has grown is the provider’s to leave alone', async () => {
    const { recorder } = await make('production');
    expect(recorder.made.filter(({ options }) => options.ignoreChanges !== undefined)).toEqual([]);
  });

  test('has a key that rotates and comes back for 30 days', async () => {
    const { given } = await make('production');
    expect(given.get('shop-instance-key')).toEqual({
      description: 'Storage, snapshots and master secret of shop-db',
      enableKeyRotation: true,
      deletionWindowInDays: 30,
      tags,
    });
  });

  test('has a parameter group that is there before the last one goes', async () => {
    const { given, recorder } = await make('production', { parameters: { max_connections: 200 } });
    expect(given.get('shop-instance-parameters')).toEqual({
      name: 'shop-db-postgres17',
      family: 'postgres17',
      description: 'Parameters of shop-db',
      parameters: [
        { name: 'log_statement', value: 'ddl', applyMethod: 'immediate' },
        { name: 'max_connections', value: '200', applyMethod: 'pending-reboot' },
        { name: 'rds.force_ssl', value: '1', applyMethod: 'immediate' },
      ],
      tags,
    });
    const group = recorder.made.find(({ name }) => name === 'shop-instance-parameters')!;
    expect(group.options.deleteBeforeReplace).toBe(false);
  });
});

describe('the network of an instance', () => {
  const everybody = {
    source: {
      port: 5433,
      network: {
        ...managed.network,
        allowSecurityGroups: ['sg-00000000000000001', 'sg-00000000000000001', 'sg-00000000000000002'],
        allowNetworks: ['10.1.0.0/16', 'fd00:1234::/32'],
      },
    },
    settings: {
      unattended: {
        network: {
          subnets: ['subnet-0a1b2c3d4e5f60718'],
          securityGroups: ['sg-00000000000000002', 'sg-00000000000000003'],
        },
      },
    },
  };

  test('lets in who is named and the Lambda that verifies, each once, and nobody out', async () => {
    const { given } = await make('production', everybody.source, everybody.settings);
    expect(given.get('shop-instance-access')).toEqual({
      description: 'Who may connect to shop-db',
      vpcId: 'vpc-0a1b2c3d4e5f60718',
      tags,
    });
    const rules = [...given].filter(([name]) => name.startsWith('shop-instance-access-'));
    const rule = {
      securityGroupId: 'shop-instance-access-id',
      ipProtocol: 'tcp',
      fromPort: 5433,
      toPort: 5433,
      tags,
    };
    expect(rules).toEqual([
      [
        'shop-instance-access-sg-00000000000000001',
        { ...rule, referencedSecurityGroupId: 'sg-00000000000000001' },
      ],
      [
        'shop-instance-access-sg-00000000000000002',
        { ...rule, referencedSecurityGroupId: 'sg-00000000000000002' },
      ],
      [
        'shop-instance-access-sg-00000000000000003',
        { ...rule, referencedSecurityGroupId: 'sg-00000000000000003' },
      ],
      ['shop-instance-access-10-1-0-0-16', { ...rule, cidrIpv4: '10.1.0.0/16' }],
      ['shop-instance-access-fd00-1234-32', { ...rule, cidrIpv6: 'fd00:1234::/32' }],
    ]);
  });

  test('has a group without any rule for restores, unless one is given', async () => {
    const { given, quarantine } = await make('production');
    expect(given.get('shop-instance-quarantine')).toEqual({
      description: 'Nobody may connect to shop-db while it is restored',
      vpcId: 'vpc-0a1b2c3d4e5f60718',
      tags,
    });
    expect(quarantine).toBe('shop-instance-quarantine-id');
    const theirs = await make('production', {}, { quarantineSecurityGroup: 'sg-00000000000000009' });
    expect(theirs.given.has('shop-instance-quarantine')).toBe(false);
    expect(theirs.quarantine).toBe('sg-00000000000000009');
  });

  test('has the subnets of the settings', async () => {
    const { given } = await make('production');
    expect(given.get('shop-instance-subnets')).toEqual({
      description: 'Subnets of shop-db',
      subnetIds: managed.network.subnets,
      tags,
    });
  });
});

describe('what the settings say', () => {
  const changed = async (source: object, environment: Environment = 'production') => {
    const { db: before } = await make(environment);
    const { db: after } = await make(environment, source);
    return Object.fromEntries(
      [...new Set([...Object.keys(before), ...Object.keys(after)])]
        .filter(key => JSON.stringify(before[key]) !== JSON.stringify(after[key]))
        .map(key => [key, after[key]]),
    );
  };

  test.each<[object, object]>([
    [{ applyImmediately: true }, { applyImmediately: true }],
    [{ iamAuthentication: true }, { iamDatabaseAuthenticationEnabled: true }],
    [{ version: '17.7' }, { engineVersion: '17.7' }],
    [
      { version: '18.1', allowMajorUpgrade: true },
      {
        engineVersion: '18.1',
        allowMajorVersionUpgrade: true,
        parameterGroupName: 'shop-db-postgres18',
      },
    ],
    [{ storage: { maximum: 'fixed' } }, { maxAllocatedStorage: undefined }],
    [
      { storage: { type: 'io2', size: '400 GiB', maximum: '2 TiB', iops: 12_000 } },
      { storageType: 'io2', allocatedStorage: 400, maxAllocatedStorage: 2048, iops: 12_000 },
    ],
    [
      { storage: { size: '400 GiB', iops: 12_000, throughput: 600 } },
      { allocatedStorage: 400, iops: 12_000, storageThroughput: 600 },
    ],
    [
      { automatedBackups: { retentionDays: 35, window: '02:00-02:30' } },
      { backupRetentionPeriod: 35, backupWindow: '02:00-02:30' },
    ],
    [
      { performanceInsights: false },
      {
        performanceInsightsEnabled: false,
        performanceInsightsRetentionPeriod: undefined,
        performanceInsightsKmsKeyId: undefined,
      },
    ],
  ])('%j changes this and nothing else', async (source, inputs) => {
    expect(await changed(source)).toEqual(inputs);
  });

  test('another key than ours encrypts all that ours would, and none is made', async () => {
    const kmsKey = `arn:aws:kms:${region}:${account}:key/theirs`;
    const { db, keyArn, recorder } = await make('production', { kmsKey });
    expect(keyArn).toBe(kmsKey);
    expect([db.kmsKeyId, db.masterUserSecretKmsKeyId, db.performanceInsightsKmsKeyId]).toEqual([
      kmsKey,
      kmsKey,
      kmsKey,
    ]);
    expect(recorder.lines().join('\n')).not.toContain('aws:kms');
  });

  test('tags are on all that is made', async () => {
    const { given } = await make('production', {}, { tags: { team: 'shop' } });
    for (const [name, inputs] of given)
      if (name !== 'shop-instance') expect(inputs).toMatchObject({ tags: { ...tags, team: 'shop' } });
  });
});

describe('an instance of staging', () => {
  test('has no standby and can be deleted, and not even then without a final snapshot', async () => {
    const { db, recorder } = await make('staging');
    expect(db).toMatchObject({
      multiAz: false,
      deletionProtection: false,
      skipFinalSnapshot: false,
      deleteAutomatedBackups: false,
      storageEncrypted: true,
      publiclyAccessible: false,
    });
    expect(recorder.lines().filter(line => line.includes('protected'))).toEqual([]);
  });

  test('that is made anew has a final snapshot of another name', async () => {
    const one = await make('staging');
    const { given } = mockAws();
    const cluster = clusterOf('staging', { source: { ...managed, masterUser: 'other' } });
    const recorder = new Recorder();
    new RdsInstance(
      'shop-instance',
      { cluster, source: cluster.settings.source as ManagedInstance },
      recorder.options,
    );
    await recorder.done();
    expect(given.get('shop-instance-db')?.finalSnapshotIdentifier).not.toBe(one.db.finalSnapshotIdentifier);
  });
});
