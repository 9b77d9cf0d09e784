import type { ArchiveEvidence, Evidence, Instant, WalGap } from '../../core/evidence';
import { parseLsn } from '../../core/lsn';
import { formatSegment, gaps, isSegmentName, parseSegment, segmentOf } from '../../core/wal';
import type { HostContext } from './context';
import type { RepositoryFacts } from './evidence-repository';
import { firstCommitSince, waitingSegments, type ServerFacts } from './evidence-server';
import type { ArchivedSegment } from './pgbackrest/repository';
import { spoolError } from './restore-point';
import { usableSets, type UsableSet } from './sets';

/** The usable set that a restore would start from. */
export function newestUsable({ info, unusable }: RepositoryFacts): UsableSet | undefined {
  return usableSets(info.sets, unusable).at(-1);
}

/**
 * WAL that is missing from a set on. What waits on the server to be archived isn't missing, it is late: pgBackRest
 * archives several segments at once, in any order.
 */
export function gapsSince(
  set: UsableSet,
  repository: RepositoryFacts,
  waiting: readonly string[],
  segmentBytes: number,
): WalGap[] {
  const present = [...repository.segments.map(segment => segment.name), ...waiting];
  return gaps(
    present,
    { segment: set.firstSegment, through: set.lastSegment },
    segmentBytes,
    repository.histories,
  );
}

/** What the server archived last, though the repository ends before it: it was deleted there, or went elsewhere. */
export function missingTail(
  segments: readonly ArchivedSegment[],
  { lastArchivedSegment, segmentBytes }: ServerFacts,
): WalGap | null {
  if (lastArchivedSegment === null || !isSegmentName(lastArchivedSegment)) return null;
  const { timeline, number } = parseSegment(lastArchivedSegment, segmentBytes);
  const newest = newestOn(
    timeline,
    segmentBytes,
    segments.map(segment => segment.name),
  );
  if (newest !== null && newest >= number) return null;
  const from = newest === null ? number : newest + 1n;
  return gapOf(timeline, segmentBytes, from, number);
}

/**
 * What the server has completed since, though it neither waits nor is in the repository: archiving was off for a while. The
 * hole is between two segments only once a later one is archived.
 * @param waiting read after the server told its position, and before the repository was listed.
 */
export function neverArchived(
  segments: readonly ArchivedSegment[],
  waiting: readonly string[],
  { lsn, timeline, segmentBytes }: ServerFacts,
): WalGap | null {
  if (lsn === null) return null;
  const known = [...segments.map(segment => segment.name), ...waiting];
  const newest = newestOn(timeline, segmentBytes, known);
  const written = lsn / BigInt(segmentBytes);
  return newest === null || written <= newest + 1n
    ? null
    : gapOf(timeline, segmentBytes, newest + 1n, written - 1n);
}

function newestOn(timeline: number, segmentBytes: number, names: readonly string[]): bigint | null {
  const numbers = names
    .map(name => parseSegment(name, segmentBytes))
    .filter(segment => segment.timeline === timeline)
    .map(segment => segment.number);
  return numbers.reduce<bigint | null>((most, one) => (most === null || one > most ? one : most), null);
}

function gapOf(timeline: number, segmentBytes: number, from: bigint, to: bigint): WalGap {
  const name = (number: bigint): string => formatSegment({ timeline, number }, segmentBytes);
  return { timeline, from: name(from), to: name(to) };
}

/** When the oldest change was made that isn't archived; none when there is no such change. */
export interface Unarchived {
  readonly at: Instant | null;
}

/**
 * How archiving stands on a running server.
 * @param unarchived what was read already while nothing waited to be archived.
 */
export async function archiveEvidence(
  context: HostContext,
  server: ServerFacts,
  waiting: readonly string[],
  repository: RepositoryFacts | null,
  missing: readonly WalGap[],
  unarchived: Unarchived | null = null,
): Promise<ArchiveEvidence> {
  const newest = repository === null ? undefined : newestUsable(repository);
  // The server hears of it a moment after a segment has arrived.
  const arrived = new Set(repository?.segments.map(segment => segment.name));
  const late = waiting.filter(segment => !arrived.has(segment));
  return {
    lastArchivedAt: server.lastArchivedAt ?? lastWritten(repository?.segments ?? []),
    lastFailedAt: server.lastFailedAt,
    failing: await failing(context, server),
    backlogSegments: late.length,
    oldestUnarchivedChangeAt:
      unarchived !== null && late.length === 0
        ? unarchived.at
        : await oldestUnarchivedChange(context, server, late),
    bytesSinceNewestBackup:
      server.lsn === null || newest === undefined || newest.stopLsn === null
        ? null
        : Math.max(0, Number(server.lsn - parseLsn(newest.stopLsn))),
    gaps: missing,
  };
}

async function failing(context: HostContext, server: ServerFacts): Promise<string | null> {
  if (server.archiveMode === 'off') return 'archive_mode is off';
  if (server.archiveLibrary !== '') return 'archive_library is set, so WAL goes elsewhere';
  const { archiveCommand: command } = server;
  if (command === '') return 'archive_command is empty';
  if (!command.includes('archive-push') || !command.includes(`--stanza=${context.pgbackrest.stanza}`))
    return 'archive_command is that of another tool, so WAL goes elsewhere';
  if (server.lastFailedAt === null || server.lastFailedSegment === null) return null;
  if (server.lastArchivedAt !== null && server.lastArchivedAt >= server.lastFailedAt) return null;
  return `archiving ${server.lastFailedSegment} failed at ${server.lastFailedAt}${await spoolError(context, server.lastFailedSegment)}`;
}

/** A segment begins with a header; no record is before this offset. */
const segmentHeaderBytes = 40n;

export async function oldestUnarchivedChange(
  context: HostContext,
  server: ServerFacts,
  waiting: readonly string[],
): Promise<Instant | null> {
  return oldestChangeFrom(context, server, waiting).catch(async () =>
    // What was listed may have been archived and removed since.
    oldestChangeFrom(context, server, await waitingSegments(context.paths.dataDirectory)),
  );
}

async function oldestChangeFrom(
  { paths }: HostContext,
  server: ServerFacts,
  waiting: readonly string[],
): Promise<Instant | null> {
  const [oldest] = waiting;
  if (server.lsn === null) return null;
  const isEmpty = server.lsn % BigInt(server.segmentBytes) <= segmentHeaderBytes;
  if (oldest === undefined && isEmpty) return null;
  const segment = oldest ?? segmentOf(server.lsn, server.timeline, server.segmentBytes);
  return firstCommitSince(server.programs, paths.dataDirectory, segment, server.lsn, server.segmentBytes);
}

/** The moments that can be restored: from the oldest usable set without a gap since, to the last commit that is archived. */
export function restorable(
  repository: RepositoryFacts,
  waiting: readonly string[],
  segmentBytes: number,
  archive: ArchiveEvidence | null,
  observedAt: Instant,
): Evidence['restorable'] {
  const newest = newestUsable(repository);
  if (newest === undefined) return null;
  const missing = gapsSince(newest, repository, waiting, segmentBytes);
  let oldest = newest;
  for (const set of [...usableSets(repository.info.sets, repository.unusable)].reverse()) {
    if (gapsSince(set, repository, waiting, segmentBytes).length > missing.length) break;
    oldest = set;
  }
  return { from: oldest.stoppedAt, until: restorableUntil(repository, missing, archive, observedAt, newest) };
}

function restorableUntil(
  { segments }: RepositoryFacts,
  missing: readonly WalGap[],
  archive: ArchiveEvidence | null,
  observedAt: Instant,
  newest: UsableSet,
): Instant {
  const [gap] = missing.length > 0 ? missing : (archive?.gaps ?? []);
  const before =
    gap === undefined
      ? segments
      : segments.filter(
          ({ name }) =>
            name >= newest.firstSegment && name.slice(0, 8) === gap.from.slice(0, 8) && name < gap.from,
        );
  const written = lastWritten(before);
  const known = written !== null && written > newest.stoppedAt ? written : newest.stoppedAt;
  if (gap !== undefined || archive === null) return known;
  if (archive.oldestUnarchivedChangeAt !== null) return archive.oldestUnarchivedChangeAt;
  // Everything that was committed until now is archived, unless archiving is off or goes elsewhere.
  return archive.failing === null ? observedAt : known;
}

function lastWritten(segments: readonly ArchivedSegment[]): Instant | null {
  const newest = segments.reduce((most, { writtenAt }) => Math.max(most, writtenAt), 0);
  return newest === 0 ? null : new Date(newest * 1000).toISOString();
}
