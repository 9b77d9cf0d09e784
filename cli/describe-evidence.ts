import { formatDuration } from '../core/durations';
import type { BackupSet, CopyEvidence, Evidence, Instant } from '../core/evidence';
import type { Limits } from '../core/freshness';
import { formatAgo, formatBytes, formatInstant } from './format';

export function describeNewest(set: BackupSet | null, now: Instant): string {
  if (set === null) return 'none';
  const change = set.changeId === null ? '' : `, for change ${set.changeId}`;
  return `${set.id}, ${set.kind}, ${formatAgo(set.stoppedAt, now)}, ${formatBytes(set.sizeBytes)} (${formatBytes(set.storedBytes)} stored)${change}`;
}

export function describeArchive({ archive, observedAt }: Evidence): string {
  if (archive === null) return 'not known: the server is stopped';
  const { failing, lastArchivedAt, lastFailedAt, backlogSegments, oldestUnarchivedChangeAt, gaps } = archive;
  return [
    failing === null ? 'works' : `FAILS: ${failing}`,
    lastArchivedAt === null
      ? 'nothing archived yet'
      : `last archived ${formatAgo(lastArchivedAt, observedAt)}`,
    ...(lastFailedAt === null ? [] : [`last failure ${formatAgo(lastFailedAt, observedAt)}`]),
    backlogSegments === 0 ? 'no segment waits' : `${backlogSegments} segments wait`,
    ...(oldestUnarchivedChangeAt === null
      ? []
      : [`oldest change not archived is of ${formatInstant(oldestUnarchivedChangeAt)}`]),
    gaps.length === 0
      ? 'no gaps'
      : `GAPS: ${gaps.map(({ timeline, from, to }) => `${from} to ${to} (timeline ${timeline})`).join(', ')}`,
  ].join(', ');
}

export function describeVerification({ backups, observedAt }: Evidence, { rto }: Limits): string {
  const verified = backups.flatMap(({ id, verification }) =>
    verification === null ? [] : [{ id, ...verification }],
  );
  const newest = verified.at(-1);
  if (newest === undefined) return 'never';
  const { id, result, at, restoreSeconds, reason } = newest;
  const outcome = result === 'passed' ? 'passed' : `FAILED (${reason ?? 'no reason recorded'})`;
  return `${id} ${outcome} ${formatAgo(at, observedAt)}, restored in ${formatDuration(restoreSeconds)} (RTO ${formatDuration(rto)})`;
}

export function describeCopies(copies: CopyEvidence, now: Instant): string {
  const { place } = copies;
  if (copies.state !== 'known') return `${place}: not known: ${copies.reason}`;
  const { count, oldestAt, newestAt, encrypted } = copies;
  if (oldestAt === null || newestAt === null) return `${place}: none yet`;
  const reach =
    count === null
      ? `from ${formatInstant(oldestAt)} until ${formatInstant(newestAt)}`
      : `${count}, newest ${formatAgo(newestAt, now)}, oldest ${formatAgo(oldestAt, now)}`;
  return `${place}: ${reach}${encrypted ? ', encrypted' : ''}`;
}
