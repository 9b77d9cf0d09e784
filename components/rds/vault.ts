import * as backup from '@pulumi/aws/backup';
import type * as pulumi from '@pulumi/pulumi';
import type { VaultLock } from '../../core/settings/rds';
import { stateful } from '../protection';
import { tagsFor, type RdsCluster } from './context';

const daySeconds = 86_400;

/** Days of a duration in seconds: AWS keeps for whole ones. */
export const daysOf = (seconds: number): number => seconds / daySeconds;

export interface VaultArgs {
  readonly cluster: RdsCluster;
  /** AWS's own key of backups when there is none. */
  readonly keyArn: pulumi.Input<string | undefined>;
  readonly lock: VaultLock;
}

/** A vault with its lock. In production neither is ever deleted by Pulumi. */
export function lockedVault(
  name: string,
  { cluster, keyArn, lock }: VaultArgs,
  options: pulumi.CustomResourceOptions,
): backup.Vault {
  const opts = { ...options, ...stateful(cluster) };
  const vault = new backup.Vault(name, { kmsKeyArn: keyArn, tags: tagsFor(cluster) }, opts);
  if (lock.mode !== 'none')
    new backup.VaultLockConfiguration(
      `${name}-lock`,
      {
        backupVaultName: vault.name,
        minRetentionDays: daysOf(lock.minimum),
        maxRetentionDays: daysOf(lock.maximum),
        // Its presence is what makes a lock one of compliance.
        ...(lock.mode === 'compliance' ? { changeableForDays: daysOf(lock.coolingOff) } : {}),
      },
      opts,
    );
  return vault;
}
