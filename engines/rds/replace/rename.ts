import { ModifyDBInstanceCommand, type DBInstance } from '@aws-sdk/client-rds';
import { text } from '../answers';
import type { RdsContext } from '../context';
import { alreadyExists, failed, isWrongState } from '../failure';

/**
 * Begins to give an instance another name; AWS takes minutes for it, and refuses while it is at something else or the name isn't
 * free yet: then the next look tries again.
 */
export async function rename(
  { rds }: Pick<RdsContext, 'rds'>,
  instance: DBInstance,
  to: string,
): Promise<{ readonly outcome: 'acted' | 'waits'; readonly what: string }> {
  const from = text(instance.DBInstanceIdentifier);
  const status = text(instance.DBInstanceStatus);
  const waiting = { outcome: 'waits', what: `waiting for ${from} (${status}) to become ${to}` } as const;
  if (status !== 'available') return waiting;
  try {
    await rds.send(
      new ModifyDBInstanceCommand({
        DBInstanceIdentifier: from,
        NewDBInstanceIdentifier: to,
        ApplyImmediately: true,
      }),
    );
    return { outcome: 'acted', what: `renaming ${from} to ${to}` };
  } catch (error) {
    if (isWrongState(error) || alreadyExists(error)) return waiting;
    throw failed(`renaming ${from} to ${to}`, error);
  }
}
