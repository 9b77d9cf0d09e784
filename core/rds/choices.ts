import type { ManagedInstance, RdsSettings } from '../settings/rds';
import type { Environment } from '../settings/stack';

/** What settings leave open and the environment decides: safe in production, cheaper where nothing depends on it. */
export interface InstanceChoices {
  readonly multiAz: boolean;
  readonly deletionProtection: boolean;
}

export function instanceChoices(
  environment: Environment,
  { multiAz, deletionProtection }: Pick<ManagedInstance, 'multiAz' | 'deletionProtection'>,
): InstanceChoices {
  const production = environment === 'production';
  return { multiAz: multiAz ?? production, deletionProtection: deletionProtection ?? production };
}

/** Whether AWS Backup keeps recovery points of the instance. */
export function keepsVault(environment: Environment, { vault }: Pick<RdsSettings, 'vault'>): boolean {
  return vault.enabled ?? environment === 'production';
}
