import { removeTempDirs } from '../support/temp';
import { soundEvidence } from './support/fixtures';
import { TestProgram, violatedRules, type Declaration, type Run } from './support/program';

/*
 * The rules for AWS through Pulumi's own program, on resources that have AWS's types and inputs. That AWS takes these inputs is
 * not shown here.
 */

let program: TestProgram;

beforeAll(async () => {
  program = await new TestProgram().init();
});
afterAll(removeTempDirs);

const settings = { environment: 'production', clusters: { shop: {} } };
const run = (
  resources: readonly Declaration[],
  environment: 'production' | 'staging' = 'production',
): Run => ({
  settings: { ...settings, environment },
  evidence: soundEvidence({ environment }, new Date().toISOString()),
  resources,
});

async function previewOf(resources: readonly Declaration[], environment?: 'production' | 'staging') {
  const { code, stdout, stderr } = await program.preview(run(resources, environment));
  return { passes: code === 0, violated: violatedRules(stdout), output: stdout + stderr };
}

const group: Declaration = {
  type: 'aws:rds/parameterGroup:ParameterGroup',
  name: 'shop-group',
  inputs: {
    name: 'shop-postgres16',
    family: 'postgres16',
    parameters: [{ name: 'rds.force_ssl', value: '1' }],
  },
};
const database = (changes: Declaration['inputs'] = {}): Declaration => ({
  type: 'aws:rds/instance:Instance',
  name: 'shop-database',
  inputs: {
    engine: 'postgres',
    parameterGroupName: 'shop-postgres16',
    backupRetentionPeriod: 14,
    deleteAutomatedBackups: false,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: 'shop-final-7c1d',
    deletionProtection: true,
    storageEncrypted: true,
    ...changes,
  },
});
const vault: Declaration = { type: 'aws:backup/vault:Vault', name: 'shop-vault', inputs: { name: 'shop' } };
const lock: Declaration = {
  type: 'aws:backup/vaultLockConfiguration:VaultLockConfiguration',
  name: 'shop-lock',
  inputs: { backupVaultName: 'shop' },
};
const ingress = (network: string): Declaration => ({
  type: 'aws:ec2/securityGroup:SecurityGroup',
  name: 'shop-access',
  inputs: { ingress: [{ protocol: 'tcp', fromPort: 5432, toPort: 5432, cidrBlocks: [network] }] },
});

const sound = [group, database(), vault, lock, ingress('10.0.0.0/8')];

test('a program of which everything is as it should be passes', async () => {
  const { passes, violated, output } = await previewOf(sound);
  expect([passes, violated]).toEqual([true, []]);
  expect(output).toContain('aws:rds:Instance');
});

test('what is wrong with one is a mandatory violation, and says how to mend it', async () => {
  const { passes, violated, output } = await previewOf([
    database({ backupRetentionPeriod: 0, skipFinalSnapshot: true }),
    ingress('0.0.0.0/0'),
  ]);
  expect([passes, violated.sort()]).toEqual([
    false,
    [
      'mandatory ingress-narrow',
      'mandatory rds-final-snapshot',
      'mandatory rds-retention',
      'mandatory rds-tls-forced',
    ],
  ]);
  expect(output).toMatch(/lets anybody in from 0\.0\.0\.0\/0 \(port 5432\)\n\s+fix: /);
});

test('a vault without a lock is one before anything is touched', async () => {
  const { passes, violated } = await previewOf([group, database(), vault]);
  expect([passes, violated]).toEqual([false, ['mandatory vault-locked']]);
});

test('staging is held to what protects people', async () => {
  const cheap = database({ backupRetentionPeriod: 1, deletionProtection: false, skipFinalSnapshot: true });
  expect((await previewOf([cheap, vault], 'staging')).violated).toEqual([]);
  const unsafe = database({ storageEncrypted: false, publiclyAccessible: true });
  const { passes, violated } = await previewOf([unsafe], 'staging');
  expect([passes, violated.sort()]).toEqual([false, ['mandatory rds-encrypted', 'mandatory rds-private']]);
});

describe('what isn’t known in a preview', () => {
  const late = (storageEncrypted: boolean) => [
    group,
    database({
      storageEncrypted: { later: storageEncrypted },
      parameterGroupName: { later: 'shop-postgres16' },
      backupRetentionPeriod: { later: 14 },
    }),
    vault,
    { ...lock, inputs: { backupVaultName: { later: 'shop' } } },
  ];

  test('passes it, and turns no rule into an advisory one', async () => {
    const { passes, violated, output } = await previewOf(late(false));
    expect(output).not.toContain("can't be known");
    expect([passes, violated]).toEqual([true, []]);
  });

  test('is judged in the update, before that resource is touched', async () => {
    const { code, stdout } = await program.update(run(late(false)));
    expect([code === 0, violatedRules(stdout)]).toEqual([false, ['mandatory rds-encrypted']]);
    expect(JSON.stringify(await program.state())).not.toContain('aws:rds/instance:Instance');
  });

  test('and passes there, when it is as it should be', async () => {
    const { code, stdout } = await program.update(run(late(true)));
    expect([code, violatedRules(stdout)]).toEqual([0, []]);
  });
});
