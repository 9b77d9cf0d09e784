import { DeleteDBSnapshotCommand, type DBSnapshot } from '@aws-sdk/client-rds';
import { text } from './answers';
import type { BackupSet, Instant } from '../../core/evidence';
import { snapshotPrefix } from '../../core/rds/names';
import { milliseconds } from '../../core/time';
import type { RdsContext } from './context';
import { failed, isNotFound } from './failure';
import { byAge, toBackupSet } from './snapshots';
import { keys, tagsOf } from './tags';

/**
 * The snapshots that have expired and nothing depends on: Holdfast's own, of this cluster, and neither the newest usable one,
 * nor the last that passed a verification, nor the last that failed one, which holds until a later one passes.
 */
export function expiredSnapshots(
  cluster: string,
  snapshots: readonly DBSnapshot[],
  encrypted: boolean | null,
  now: Instant,
): DBSnapshot[] {
  const sets = [...snapshots].sort(byAge).map(snapshot => toBackupSet(snapshot, encrypted, now));
  const kept = new Set([
    sets.findLast(({ unusable }) => unusable === null)?.id,
    lastVerified(sets, 'passed')?.id,
    lastVerified(sets, 'failed')?.id,
  ]);
  return snapshots.filter(snapshot => {
    const tags = tagsOf(snapshot.TagList);
    return (
      snapshot.SnapshotType === 'manual' &&
      snapshot.Status !== 'creating' &&
      snapshot.DBSnapshotIdentifier?.startsWith(snapshotPrefix(cluster)) &&
      !kept.has(snapshot.DBSnapshotIdentifier) &&
      tags[keys.cluster] === cluster &&
      milliseconds(text(tags[keys.expires])) <= milliseconds(now)
    );
  });
}

function lastVerified(sets: readonly BackupSet[], result: 'passed' | 'failed'): BackupSet | undefined {
  const at = ({ verification }: BackupSet) => milliseconds(text(verification?.at));
  return sets
    .filter(({ verification }) => verification?.result === result)
    .sort((one, other) => at(one) - at(other))
    .at(-1);
}

/** Deletes a snapshot; one that is gone already is as good. */
export async function deleteSnapshot({ rds }: Pick<RdsContext, 'rds'>, id: string): Promise<void> {
  try {
    await rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }));
  } catch (error) {
    if (!isNotFound(error)) throw failed(`deleting the expired snapshot ${id}`, error);
  }
}
