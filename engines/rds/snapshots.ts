import { paginateDescribeDBSnapshots, type DBSnapshot } from '@aws-sdk/client-rds';
import { list, text } from './answers';
import type { BackupSet, Instant } from '../../core/evidence';
import type { RdsContext } from './context';
import { failed } from './failure';
import type { ClusterRecord } from './record';
import { changeIdOf, decodeVerification, tagsOf } from './tags';

/** Whose snapshots: an identifier, or all resource ids that the cluster ever had. */
export type Owner = { readonly identifier: string } | { readonly resourceIds: readonly string[] };

/** All that was ever the cluster's; by name only as long as no instance is recorded. */
export function ownerOf({ settings }: Pick<RdsContext, 'settings'>, record: ClusterRecord | null): Owner {
  if (!record?.identity) return { identifier: settings.instance };
  return { resourceIds: [...record.lineage, record.identity] };
}

/** Manual and automated snapshots, page by page. */
export async function listSnapshots({ rds }: Pick<RdsContext, 'rds'>, owner: Owner): Promise<DBSnapshot[]> {
  const filter =
    'identifier' in owner
      ? { DBInstanceIdentifier: owner.identifier }
      : { Filters: [{ Name: 'dbi-resource-id', Values: [...owner.resourceIds] }] };
  const found: DBSnapshot[] = [];
  try {
    for await (const page of paginateDescribeDBSnapshots({ client: rds, pageSize: 100 }, filter))
      found.push(...list(page.DBSnapshots));
  } catch (error) {
    throw failed('listing the snapshots', error);
  }
  return found;
}

/**
 * When the data of a snapshot is from; null while that isn't known. A copy is as old as what it is a copy of.
 */
export function takenAt(snapshot: DBSnapshot): Instant | null {
  return (snapshot.OriginalSnapshotCreateTime ?? snapshot.SnapshotCreateTime)?.toISOString() ?? null;
}

const gibibyte = 1024 ** 3;

/**
 * A snapshot as evidence. RDS keeps only what changed between two of them, and restores each of them by itself: all are
 * full ones.
 * @param encrypted whether the instance is; null when that isn't known
 * @param observedAt stands for the time of a snapshot that has none yet
 */
export function toBackupSet(snapshot: DBSnapshot, encrypted: boolean | null, observedAt: Instant): BackupSet {
  const tags = tagsOf(snapshot.TagList);
  const at = takenAt(snapshot);
  const sizeBytes = (snapshot.AllocatedStorage ?? 0) * gibibyte;
  return {
    id: text(snapshot.DBSnapshotIdentifier),
    kind: 'full',
    startedAt: at ?? observedAt,
    stoppedAt: at ?? observedAt,
    unusable: unusableBecause(snapshot, encrypted),
    sizeBytes,
    storedBytes: snapshot.FullSnapshotSizeInBytes ?? sizeBytes,
    changeId: changeIdOf(tags),
    verification: decodeVerification(tags),
  };
}

function unusableBecause(snapshot: DBSnapshot, encrypted: boolean | null): string | null {
  if (snapshot.Status === 'creating') return `it is being taken (${snapshot.PercentProgress ?? 0} %)`;
  if (snapshot.Status !== 'available') return `its status is ${snapshot.Status ?? 'not known'}`;
  if (takenAt(snapshot) === null) return 'it doesn’t say when it was taken';
  if (encrypted === true && snapshot.Encrypted !== true)
    return 'it isn’t encrypted, although the instance is';
  return null;
}

/** Oldest first; those without a time, which are being taken, last. */
export function byAge(one: DBSnapshot, other: DBSnapshot): number {
  return age(one) - age(other);
}

const age = (snapshot: DBSnapshot): number => {
  const at = takenAt(snapshot);
  return at === null ? Number.MAX_VALUE : Date.parse(at);
};
