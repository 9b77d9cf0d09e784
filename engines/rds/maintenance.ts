import type { DBInstance } from '@aws-sdk/client-rds';
import type { Instant, PendingChange } from '../../core/evidence';
import { windowBegin } from '../../core/rds/windows';

/** What waits for the maintenance window, one line each. */
export function pendingModifications({ PendingModifiedValues }: DBInstance): readonly string[] {
  return Object.entries(PendingModifiedValues ?? {}).map(([key, value]) =>
    key === 'MasterUserPassword'
      ? `${key} is going to change`
      : `${key} is going to be ${JSON.stringify(value)}`,
  );
}

/** Modifications that AWS applies in the next maintenance window. */
export function pendingChange(instance: DBInstance, now: Instant): PendingChange | undefined {
  const modifications = pendingModifications(instance);
  const { PreferredMaintenanceWindow: window } = instance;
  return modifications.length === 0 || window === undefined
    ? undefined
    : { at: windowBegin(window, now), what: modifications.join(', ') };
}
