import type { Resource } from '../../policy/resource';
import { vaultLocked } from '../../policy/rules/vault-locked';
import { awsResource, judgedProgram } from './support/aws';
import { judged, resourceOf, staging, stackOf, unknown } from './support/fixtures';

const vault = (name: unknown = 'shop', region?: unknown) =>
  awsResource('backup/vault:Vault', { name, region });
const lock = (backupVaultName: unknown = 'shop') =>
  awsResource('backup/vaultLockConfiguration:VaultLockConfiguration', {
    backupVaultName,
    minRetentionDays: 7,
  });

test.each<[string, readonly Resource[]]>([
  ['a vault with its lock', [vault(), lock()]],
  ['a vault whose name isn’t known yet', [vault(unknown), lock('shop')]],
  ['a lock of a vault that isn’t known yet', [vault(), lock(unknown)]],
  ['a vault whose region isn’t known yet', [vault('shop', unknown), lock()]],
  ['nothing of the kind', [resourceOf()]],
])('a production program with %s passes', (_, resources) => {
  expect(judgedProgram(vaultLocked, resources)).toEqual([]);
});

test.each<[string, readonly Resource[]]>([
  ['no lock', [vault()]],
  ['no lock, and no name yet', [vault(unknown)]],
  ['another vault’s lock', [vault(), lock('crm')]],
  ['the lock of one in another region', [vault('shop', 'eu-west-1'), lock()]],
])('a vault with %s is a violation', (_, resources) => {
  expect(judgedProgram(vaultLocked, resources)).toEqual([
    expect.stringMatching(/^shop \(aws:backup\/vault:Vault\) is not locked: .*\n {2}fix: declare a Vault/),
  ]);
});

test('staging is not held to it', () => {
  expect(judgedProgram(vaultLocked, [vault()], {}, { raw: staging })).toEqual([]);
});

test('an invalid configuration or stack is said once, on the root resource', async () => {
  expect(judgedProgram(vaultLocked, [vault()], { lock: false })).toEqual([]);
  expect(judgedProgram(vaultLocked, [vault()], {}, { raw: {} })).toEqual([]);
  expect(await judged(vaultLocked, {}, { lock: false })).toHaveLength(1);
  expect(await judged(vaultLocked, { raw: {} })).toHaveLength(1);
});

test('the vault by itself is no violation: its lock comes after it', () => {
  expect(vaultLocked.judgeResource(vault(), {}, stackOf())).toEqual([]);
});
