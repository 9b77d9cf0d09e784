import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { HoldfastError } from '../../core/errors';
import type { Instant } from '../../core/evidence';
import { formatLsn, parseLsn, type Lsn } from '../../core/lsn';
import { isSegmentName, parseSegment } from '../../core/wal';
import type { Session } from '../engine';

import { onlyRow } from './session';

/** What the server says of itself. */
export interface ServerFacts {
  readonly systemIdentifier: string;
  readonly now: Instant;
  readonly version: string;
  /** The directory of its programs. */
  readonly programs: string;
  readonly inRecovery: boolean;
  readonly lsn: Lsn | null;
  readonly timeline: number;
  readonly segmentBytes: number;
  readonly archiveMode: string;
  readonly archiveCommand: string;
  readonly archiveLibrary: string;
  readonly lastArchivedSegment: string | null;
  readonly lastArchivedAt: Instant | null;
  readonly lastFailedSegment: string | null;
  readonly lastFailedAt: Instant | null;
}

const utc = (expression: string): string =>
  `to_char(${expression} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const question = `
  select system_identifier::text as "systemIdentifier", ${utc('clock_timestamp()')} as now,
         split_part(current_setting('server_version'), ' ', 1) as version,
         (select setting from pg_config where name = 'BINDIR') as programs, recovering as "inRecovery",
         case when not recovering then pg_current_wal_lsn()::text end as lsn,
         case when recovering then timeline_id
              else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end as timeline,
         bytes_per_wal_segment as "segmentBytes",
         current_setting('archive_mode') as "archiveMode", current_setting('archive_command') as "archiveCommand",
         coalesce(current_setting('archive_library', true), '') as "archiveLibrary",
         last_archived_wal as "lastArchivedSegment", ${utc('last_archived_time')} as "lastArchivedAt",
         last_failed_wal as "lastFailedSegment", ${utc('last_failed_time')} as "lastFailedAt"
    from pg_control_system(), pg_control_checkpoint(), pg_control_init(), pg_stat_archiver,
         (values (pg_is_in_recovery())) as recovery(recovering)`;

/** Asks a running server; throws when it doesn't answer. */
export async function askServer(session: Session): Promise<ServerFacts> {
  const row = await onlyRow<Omit<ServerFacts, 'lsn'> & { lsn: string | null }>(session, question);
  return { ...row, lsn: row.lsn === null ? null : parseLsn(row.lsn) };
}

/** Segments that are complete and wait to be archived, in order. */
export async function waitingSegments(dataDirectory: string): Promise<readonly string[]> {
  const names = await fs.readdir(path.join(dataDirectory, 'pg_wal', 'archive_status'));
  return names
    .filter(name => name.endsWith('.ready'))
    .map(name => name.slice(0, -'.ready'.length))
    .filter(isSegmentName)
    .sort();
}

/**
 * When the first transaction committed in the WAL from a segment on until a position; null when none did. Records that no transaction
 * made (checkpoints, snapshots of an idle server) are no change.
 *
 * @param programs the directory of PostgreSQL's programs.
 * @throws HoldfastError `engine-failed` when the WAL can't be read: that is not "no change".
 */
export async function firstCommitSince(
  programs: string,
  dataDirectory: string,
  segment: string,
  until: Lsn,
  segmentBytes: number,
): Promise<Instant | null> {
  const wal = path.join(dataDirectory, 'pg_wal');
  // pg_waldump waits for seconds for a segment that doesn't exist (yet): it is told where to end, too.
  await fs.access(path.join(wal, segment));
  const { timeline, number } = parseSegment(segment, segmentBytes);
  const child = spawn(
    path.join(programs, 'pg_waldump'),
    [
      '--rmgr=Transaction',
      `--path=${wal}`,
      `--timeline=${timeline}`,
      `--start=${formatLsn(number * BigInt(segmentBytes))}`,
      `--end=${formatLsn(until)}`,
    ],
    { env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' }, stdio: ['ignore', 'pipe', 'pipe'], timeout: 10_000 },
  );
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  const ended = new Promise<number | null>(resolve => child.once('close', resolve));
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)));
  try {
    const found = await Promise.race([firstCommit(child.stdout), failed]);
    if (found !== null || (await ended) === 0 || endOfWal.test(said)) return found;
    throw new HoldfastError(
      'engine-failed',
      `pg_waldump could not read the WAL from ${segment} on: ${said.trim() || 'it took too long'}`,
    );
  } finally {
    child.kill();
  }
}

/** Where the server writes just now there is half a record, or none yet. */
const endOfWal = /could not find a valid record after|error in WAL record at/;

const commit = /^.*desc: COMMIT(?:_PREPARED)? .*?(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3})\d* UTC.*$/;

async function firstCommit(output: NodeJS.ReadableStream): Promise<Instant | null> {
  for await (const line of createInterface({ input: output })) {
    if (commit.test(line)) return line.replace(commit, '$1T$2Z');
  }
  return null;
}
