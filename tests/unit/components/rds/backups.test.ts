import * as pulumi from '@pulumi/pulumi';
import { dailyExpression, RdsBackups } from '../../../../components/rds/backups';
import { Regions } from '../../../../components/rds/regions';
import type { Environment } from '../../../../core/settings/stack';
import { Recorder } from '../support';
import { account, clusterOf, mockAws, region } from './support';

const instanceArn = `arn:aws:rds:${region}:${account}:db:shop-db`;
const keyArn = `arn:aws:kms:${region}:${account}:key/instance`;
const tags = { 'holdfast:belongs-to': 'shop', 'holdfast:environment': 'production' };

async function make(environment: Environment, settings: object = {}) {
  const { given } = mockAws();
  const cluster = clusterOf(environment, settings);
  const recorder = new Recorder();
  const parent = new pulumi.ComponentResource('test:index:Parent', 'shop', {}, recorder.options);
  const regions = new Regions('shop', parent);
  new RdsBackups('shop-backups', { cluster, instanceArn, keyArn, regions }, { parent });
  await recorder.done();
  const providers = recorder.made.flatMap(({ name, options }) =>
    options.provider === undefined ? [] : [[name, nameOf(options.provider, recorder)]],
  );
  return { recorder, given, providers: Object.fromEntries(providers) as Record<string, string> };
}

const nameOf = (resource: pulumi.Resource, { made }: Recorder) =>
  made.find(one => one.resource === resource)?.name;

const vault = (settings: object) => ({ vault: settings });
const lock = (inputs: Map<string, Record<string, unknown>>) => inputs.get('shop-backups-vault-lock');

describe('production', () => {
  test('keeps a recovery point a day in a locked vault that Pulumi never deletes', async () => {
    const { recorder, given } = await make('production');
    expect(recorder.lines().slice(1)).toEqual([
      'holdfast:rds:RdsBackups shop-backups in shop',
      'aws:backup/vault:Vault shop-backups-vault in shop-backups, protected',
      'aws:backup/vaultLockConfiguration:VaultLockConfiguration shop-backups-vault-lock in shop-backups, protected',
      'aws:backup/plan:Plan shop-backups-plan in shop-backups',
      'aws:iam/role:Role shop-backups-role in shop-backups',
      'aws:iam/rolePolicy:RolePolicy shop-backups-role-permissions in shop-backups',
      'aws:backup/selection:Selection shop-backups-selection in shop-backups',
    ]);
    expect(given.get('shop-backups-vault')).toEqual({ kmsKeyArn: keyArn, tags });
    expect(lock(given)).toEqual({
      backupVaultName: 'shop-backups-vault',
      minRetentionDays: 7,
      maxRetentionDays: 365,
    });
    expect(given.get('shop-backups-plan')).toEqual({
      rules: [
        {
          ruleName: 'daily',
          targetVaultName: 'shop-backups-vault',
          schedule: 'cron(0 12 * * ? *)',
          lifecycle: { deleteAfter: 35 },
          copyActions: [],
        },
      ],
      tags,
    });
    expect(given.get('shop-backups-selection')).toEqual({
      planId: 'shop-backups-plan-id',
      iamRoleArn: `arn:aws:iam:${region}:${account}:shop-backups-role`,
      resources: [instanceArn],
    });
  });

  test('lets AWS Backup act on this instance, its vault and its key only', async () => {
    const { given } = await make('production');
    expect(given.get('shop-backups-role')?.assumeRolePolicy).toContain('"Service":"backup.amazonaws.com"');
    const { policy, role } = given.get('shop-backups-role-permissions') as { policy: string; role: string };
    expect(role).toBe('shop-backups-role');
    const { Statement: statements } = JSON.parse(policy) as {
      Statement: { Sid: string; Resource: string[] }[];
    };
    const resources = Object.fromEntries(statements.map(({ Sid, Resource }) => [Sid, Resource]));
    expect(resources.TakeSnapshots).toContain(instanceArn);
    expect(resources.PutIntoVaults).toEqual([`arn:aws:backup:${region}:${account}:shop-backups-vault`]);
    expect(resources.UseKeys).toEqual([keyArn]);
  });

  test('can lock for good', async () => {
    const { given } = await make(
      'production',
      vault({
        lock: {
          mode: 'compliance',
          coolingOff: '5 d',
          confirmation: 'compliance of shop-db cannot be undone',
        },
      }),
    );
    expect(lock(given)).toMatchObject({ changeableForDays: 5 });
  });

  test('can do without a vault', async () => {
    const { recorder } = await make('production', vault({ enabled: false }));
    expect(recorder.lines().slice(1)).toEqual(['holdfast:rds:RdsBackups shop-backups in shop']);
  });

  test('copies to other regions, each with a key and a lock of its own, and to vaults of others', async () => {
    const theirs = 'arn:aws:backup:eu-north-1:444455556666:backup-vault:shop';
    const kmsKey = `arn:aws:kms:us-east-1:${account}:key/theirs`;
    const { recorder, given, providers } = await make(
      'production',
      vault({
        copies: [
          { to: 'region', region: 'eu-west-1', keepFor: '90 d' },
          { to: 'region', region: 'us-east-1', kmsKey },
          { to: 'vault', vault: theirs, keepFor: '365 d' },
        ],
      }),
    );
    expect(recorder.lines().slice(4, 11)).toEqual([
      'pulumi:providers:aws shop-aws-eu-west-1 in shop',
      'aws:kms/key:Key shop-backups-key-eu-west-1 in shop-backups, protected',
      'aws:backup/vault:Vault shop-backups-vault-eu-west-1 in shop-backups, protected',
      'aws:backup/vaultLockConfiguration:VaultLockConfiguration shop-backups-vault-eu-west-1-lock in shop-backups, protected',
      'pulumi:providers:aws shop-aws-us-east-1 in shop',
      'aws:backup/vault:Vault shop-backups-vault-us-east-1 in shop-backups, protected',
      'aws:backup/vaultLockConfiguration:VaultLockConfiguration shop-backups-vault-us-east-1-lock in shop-backups, protected',
    ]);
    expect(providers).toEqual({
      'shop-backups-key-eu-west-1': 'shop-aws-eu-west-1',
      'shop-backups-vault-eu-west-1': 'shop-aws-eu-west-1',
      'shop-backups-vault-eu-west-1-lock': 'shop-aws-eu-west-1',
      'shop-backups-vault-us-east-1': 'shop-aws-us-east-1',
      'shop-backups-vault-us-east-1-lock': 'shop-aws-us-east-1',
    });
    expect(given.get('shop-aws-us-east-1')).toMatchObject({ region: 'us-east-1' });
    expect(given.get('shop-backups-vault-us-east-1')).toEqual({ kmsKeyArn: kmsKey, tags });
    const [rule] = given.get('shop-backups-plan')?.rules as { copyActions: unknown }[];
    expect(rule?.copyActions).toEqual([
      {
        destinationVaultArn: `arn:aws:backup:${region}:${account}:shop-backups-vault-eu-west-1`,
        lifecycle: { deleteAfter: 90 },
      },
      {
        destinationVaultArn: `arn:aws:backup:${region}:${account}:shop-backups-vault-us-east-1`,
        lifecycle: { deleteAfter: 35 },
      },
      { destinationVaultArn: theirs, lifecycle: { deleteAfter: 365 } },
    ]);
  });

  test('replicates automated backups with the key that copies have there', async () => {
    const { recorder, given, providers } = await make('production', {
      vault: { copies: [{ to: 'region', region: 'eu-west-1' }] },
      replication: { region: 'eu-west-1', keepFor: '14 d' },
    });
    expect(given.get('shop-backups-replication')).toEqual({
      sourceDbInstanceArn: instanceArn,
      retentionPeriod: 14,
      kmsKeyId: `arn:aws:kms:${region}:${account}:shop-backups-key-eu-west-1`,
    });
    expect(providers['shop-backups-replication']).toBe('shop-aws-eu-west-1');
    expect(recorder.made.filter(({ type }) => type === 'aws:kms/key:Key')).toHaveLength(1);
  });
});

describe('staging', () => {
  test('keeps nothing more than RDS does, unless told', async () => {
    const { recorder } = await make('staging');
    expect(recorder.lines().slice(1)).toEqual(['holdfast:rds:RdsBackups shop-backups in shop']);
  });

  test('can keep a vault without a lock, and deletes it', async () => {
    const { recorder } = await make('staging', vault({ enabled: true, lock: { mode: 'none' } }));
    expect(recorder.lines().slice(2, 4)).toEqual([
      'aws:backup/vault:Vault shop-backups-vault in shop-backups',
      'aws:backup/plan:Plan shop-backups-plan in shop-backups',
    ]);
  });
});

test('a time of the day is a cron expression of AWS', () => {
  expect(dailyExpression('00:05')).toBe('cron(5 0 * * ? *)');
  expect(dailyExpression('23:30')).toBe('cron(30 23 * * ? *)');
});
