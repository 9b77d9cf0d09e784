import { input, unknownValue, type Resource } from '../resource';
import { defineRule, nothing, resourceViolation } from '../rule';

const vaultType = 'aws:backup/vault:Vault';
const lockType = 'aws:backup/vaultLockConfiguration:VaultLockConfiguration';

/** The lock is another resource, and comes after the vault: only the whole program shows that there is one. */
export const vaultLocked = defineRule({
  name: 'vault-locked',
  description: 'Every backup vault of production is locked: nobody deletes a recovery point before its time.',
  severity: 'high',
  remediation:
    'Declare an `aws.backup.VaultLockConfiguration` for it; without `changeableForDays` it can be undone.',
  url: 'https://docs.aws.amazon.com/aws-backup/latest/devguide/vault-lock.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: nothing,
  judgeProgram(stack) {
    const resources = stack.resources();
    const locks = resources.filter(({ type }) => type === lockType);
    return resources
      .filter(({ type }) => type === vaultType)
      .filter(vault => !locks.some(lock => isLockOf(lock, vault)))
      .map(vault =>
        resourceViolation(
          vault,
          'is not locked: whoever may can delete its recovery points',
          'declare a VaultLockConfiguration for it (governance mode: without changeableForDays it can be undone)',
        ),
      );
  },
});

function isLockOf(lock: Resource, vault: Resource): boolean {
  return (
    mayBeSame(input(lock, 'backupVaultName'), input(vault, 'name')) &&
    mayBeSame(input(lock, 'region'), input(vault, 'region'))
  );
}

/** What isn't known in this preview may be the same; the update knows. */
const mayBeSame = (one: unknown, other: unknown) =>
  one === other || one === unknownValue || other === unknownValue;
