import * as pulumi from '@pulumi/pulumi';
import { ProtectedRds } from '../../../../components/rds/protected-rds';
import type { Environment } from '../../../../core/settings/stack';
import { natureOf, Recorder, valueOf } from '../support';
import { account, mockAws, region, argumentsOf } from './support';

jest.mock('../../../../jobs/host-calls', () => ({ verdictOn: () => Promise.resolve('fresh') }));

function make(environment: Environment, settings: object = {}, mocked: Parameters<typeof mockAws>[0] = {}) {
  const aws = mockAws(mocked);
  const recorder = new Recorder();
  const database = new ProtectedRds('shop', argumentsOf(environment, settings), recorder.options);
  return { recorder, database, ...aws };
}

const existing = { source: { mode: 'existing' } };
/** Components and what is protected: the rest is told by the tests of each. */
const outline = (recorder: Recorder) =>
  recorder
    .lines()
    .filter(
      line => line.startsWith('holdfast:') || line.startsWith('pulumi:') || line.endsWith(', protected'),
    );

const specificationIn = (given: Map<string, Record<string, unknown>>) =>
  JSON.parse(
    pulumi.runtime.unwrapRpcSecret(given.get('shop-specification-parameter')!.value) as string,
  ) as Record<string, unknown>;

describe('a cluster on RDS', () => {
  test('in production is an instance, its backups, who is told, and the jobs; what holds data is protected', async () => {
    const { recorder } = make('production');
    await recorder.done();
    expect(outline(recorder)).toEqual([
      'holdfast:rds:ProtectedRds shop',
      'pulumi:providers:aws shop-aws-eu-central-1 in shop',
      'command:local:Command shop-begin in shop, protected',
      'holdfast:rds:RdsInstance shop-instance in shop after shop-begin',
      'aws:kms/key:Key shop-instance-key in shop-instance, protected',
      'aws:rds/instance:Instance shop-instance-db in shop-instance, protected',
      'holdfast:rds:RdsBackups shop-backups in shop',
      'aws:backup/vault:Vault shop-backups-vault in shop-backups, protected',
      'aws:backup/vaultLockConfiguration:VaultLockConfiguration shop-backups-vault-lock in shop-backups, protected',
      'holdfast:rds:RdsTelling shop-telling in shop',
      'holdfast:rds:RdsSpecification shop-specification in shop',
      'command:local:Command shop-apply in shop after shop-begin, shop-specification, shop-instance, protected',
      'holdfast:rds:RdsSchedule shop-schedule in shop after shop-specification, shop-apply',
    ]);
  });

  test('in staging is the same without a vault, and nothing is protected', async () => {
    const { recorder } = make('staging');
    await recorder.done();
    expect(outline(recorder)).toEqual([
      'holdfast:rds:ProtectedRds shop',
      'pulumi:providers:aws shop-aws-eu-central-1 in shop',
      'holdfast:rds:RdsInstance shop-instance in shop after shop-begin',
      'holdfast:rds:RdsBackups shop-backups in shop',
      'holdfast:rds:RdsTelling shop-telling in shop',
      'holdfast:rds:RdsSpecification shop-specification in shop',
      'holdfast:rds:RdsSchedule shop-schedule in shop after shop-specification, shop-apply',
    ]);
  });

  test('that exists is looked up: nothing of the instance is managed, and all the rest stands', async () => {
    const { recorder, given, asked } = make('production', existing);
    await recorder.done();
    expect(asked).toContain('aws:rds/getInstance:getInstance');
    expect(outline(recorder)).toEqual([
      'holdfast:rds:ProtectedRds shop',
      'pulumi:providers:aws shop-aws-eu-central-1 in shop',
      'command:local:Command shop-begin in shop, protected',
      'holdfast:rds:RdsBackups shop-backups in shop',
      'aws:backup/vault:Vault shop-backups-vault in shop-backups, protected',
      'aws:backup/vaultLockConfiguration:VaultLockConfiguration shop-backups-vault-lock in shop-backups, protected',
      'holdfast:rds:RdsTelling shop-telling in shop',
      'holdfast:rds:RdsSpecification shop-specification in shop',
      'command:local:Command shop-apply in shop after shop-begin, shop-specification, protected',
      'holdfast:rds:RdsSchedule shop-schedule in shop after shop-specification, shop-apply',
    ]);
    const ofInstance = recorder.made.filter(({ type }) =>
      /^aws:(rds\/instance|rds\/parameterGroup|rds\/subnetGroup|ec2|vpc|kms)/.test(type),
    );
    expect(ofInstance).toEqual([]);
    expect(given.get('shop-backups-vault')).toMatchObject({
      kmsKeyArn: `arn:aws:kms:${region}:${account}:key/theirs`,
    });
  });

  test('that exists and isn’t encrypted needs no key', async () => {
    const { recorder, given } = make(
      'staging',
      { ...existing, vault: { enabled: true } },
      { found: { kmsKeyId: '' } },
    );
    await recorder.done();
    expect(given.get('shop-backups-vault')).not.toHaveProperty('kmsKeyArn');
    for (const role of ['shop-backups-role', 'shop-schedule-role'])
      expect(given.get(`${role}-permissions`)?.policy).not.toContain('kms:');
  });

  test('is recorded before it is made, and again once it is what it shall be', async () => {
    const { recorder, given } = make('production');
    await recorder.done();
    const line = (verb: string) => `exec node bin/holdfast.mjs host ${verb} --region ${region}`;
    expect(given.get('shop-begin')).toMatchObject({ create: line('begin') });
    expect(given.get('shop-apply')).toMatchObject({
      create: line('apply'),
      environment: { HOLDFAST_REVISION: '1' },
    });
  });

  test('tells the verdict on its backups once all is done', async () => {
    const { recorder, database } = make('production');
    await recorder.done();
    expect(await valueOf(database.outputs.verdict)).toBe('fresh');
  });

  test('makes the same resources in a preview in which nothing is known yet', async () => {
    const update = make('production');
    await update.recorder.done();
    const preview = make('production', {}, { preview: true });
    await preview.recorder.done();
    expect(preview.recorder.lines()).toEqual(update.recorder.lines());
    expect(await natureOf(preview.database.outputs.host)).toEqual({ secret: false, known: false });
    expect((await natureOf(preview.database.outputs.masterSecretArn)).known).toBe(false);
  });

  test('is everywhere in its own region, whatever region is configured', async () => {
    const { recorder, given } = make('production');
    await recorder.done();
    expect(given.get('shop-aws-eu-central-1')).toMatchObject({ region: 'eu-central-1' });
    const provider = recorder.made.find(({ type }) => type === 'pulumi:providers:aws')!.resource;
    const components = recorder.made.filter(({ options }) => 'providers' in options);
    expect(components).toHaveLength(5);
    for (const { options } of components)
      expect((options as pulumi.ComponentResourceOptions).providers).toEqual([provider]);
  });
});

describe('what a stack says of it', () => {
  test('is where it is and who it is; the master secret is named as a secret', async () => {
    const { recorder, database } = make('production');
    await recorder.done();
    const { host, port, resourceId, masterSecretArn } = database.outputs;
    expect(await Promise.all([host, port, resourceId].map(output => valueOf<unknown>(output)))).toEqual([
      'shop-db.example.internal',
      5432,
      'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    ]);
    for (const output of [host, port, resourceId])
      expect(await natureOf(output)).toEqual({ secret: false, known: true });
    expect(await natureOf(masterSecretArn)).toEqual({ secret: true, known: true });
    expect(await valueOf(masterSecretArn)).toBe(
      `arn:aws:secretsmanager:${region}:${account}:secret:rds!db-1`,
    );
  });

  test('of one that exists and whose password RDS doesn’t manage is that there is no master secret', async () => {
    const { recorder, database } = make('production', existing);
    await recorder.done();
    expect(await valueOf(database.outputs.host)).toBe('shop-db.example.internal');
    expect(await valueOf(database.outputs.masterSecretArn)).toBeNull();
  });
});

describe('what the cluster shall be', () => {
  test('is written as a whole, with the quarantine group that was made', async () => {
    const { recorder, given } = make('production');
    await recorder.done();
    const specification = argumentsOf('production').plan.specification;
    expect(specificationIn(given)).toEqual({
      ...specification,
      settings: { ...specification.settings, quarantineSecurityGroup: 'shop-instance-quarantine-id' },
    });
  });

  test('of one that exists is as it was declared', async () => {
    const { recorder, given } = make('production', existing);
    await recorder.done();
    expect(specificationIn(given)).toEqual(argumentsOf('production', existing).plan.specification);
  });
});
