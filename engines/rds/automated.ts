import {
  DescribeDBInstanceAutomatedBackupsCommand,
  type DBInstance,
  type DBInstanceAutomatedBackup,
} from '@aws-sdk/client-rds';
import { list, optional } from './answers';
import type { Evidence } from '../../core/evidence';
import type { RdsContext } from './context';
import { failed, isNotFound } from './failure';

/** The automated backup of the instance; null when it has none, because it is switched off or the instance is new. */
export async function automatedBackup(
  { rds, settings }: Pick<RdsContext, 'rds' | 'settings'>,
  resourceId: string | null,
): Promise<DBInstanceAutomatedBackup | null> {
  const which =
    resourceId === null ? { DBInstanceIdentifier: settings.instance } : { DbiResourceId: resourceId };
  try {
    const { DBInstanceAutomatedBackups: all } = await rds.send(
      new DescribeDBInstanceAutomatedBackupsCommand(which),
    );
    return optional(list(all).find(({ Region }) => Region === settings.region));
  } catch (error) {
    if (isNotFound(error)) return null;
    throw failed('describing the automated backups', error);
  }
}

/** What point-in-time recovery reaches; a snapshot alone leads to its own moment only. */
export function restorableRange(
  instance: DBInstance | null,
  automated: DBInstanceAutomatedBackup | null,
): Evidence['restorable'] {
  const from = automated?.RestoreWindow?.EarliestTime;
  const until = instance?.LatestRestorableTime ?? automated?.RestoreWindow?.LatestTime;
  if (from === undefined || until === undefined) return null;
  return { from: from.toISOString(), until: until.toISOString() };
}
