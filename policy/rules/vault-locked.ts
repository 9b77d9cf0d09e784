import { input, unknownValue } from '../resource';
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
    const locked = resources
      .filter(({ type }) => type === lockType)
      .map(lock => input(lock, 'backupVaultName'));
    return resources
      .filter(({ type }) => type === vaultType)
      .filter(vault => {
        const name = input(vault, 'name');
        // What isn't known in this preview may be the same; the update knows.
        return !locked.some(it => it === name || it === unknownValue || name === unknownValue);
      })
      .map(vault =>
        resourceViolation(
          vault,
          'is not locked: whoever may can delete its recovery points',
          'declare a VaultLockConfiguration for it (governance mode: without changeableForDays it can be undone)',
        ),
      );
  },
});
