import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asHoldfastError, HoldfastError } from '../../core/errors';
import type { RestorePoint, Session } from '../engine';
import { clusterOf, repositoryCount, restorePointsFile, type HostContext } from './context';
import { printable } from './pgbackrest/command';
import { stanzaInfo } from './pgbackrest/stanza';
import { listFiles } from './pgbackrest/repository';
import { onlyRow, withServer } from './session';

/** A restore point with what recovery to it needs. */
export interface KnownRestorePoint extends RestorePoint {
  readonly timeline: number;
}

interface Mark {
  readonly lsn: string;
  readonly segment: string;
  readonly at: string;
  readonly failures: string;
}

/**
 * Marks a named point in the WAL, completes its segment, and waits until that segment is in every repository. Recovery to
 * it is exact: everything committed before it, nothing after.
 *
 * @param keep whether it is remembered for `restorePoints`.
 * @throws HoldfastError `engine-failed` with the reason of the last archiving failure when the WAL does not arrive in time.
 */
export async function markRestorePoint(
  context: HostContext,
  name: string,
  keep = true,
): Promise<KnownRestorePoint> {
  if (name === '' || Buffer.byteLength(name) > 63)
    throw new HoldfastError('configuration', `the name of a restore point has 1 to 63 bytes: "${name}"`);
  return withServer(context.server, 'postgres', async session => {
    const began = performance.now();
    const mark = await create(session, name);
    await untilArchived(context, session, mark);
    const point: KnownRestorePoint = {
      name,
      at: mark.at,
      position: mark.lsn,
      timeline: parseInt(mark.segment.slice(0, 8), 16),
      archivedAfterSeconds: (performance.now() - began) / 1000,
    };
    if (keep) await fs.appendFile(restorePointsFile(context), `${JSON.stringify(point)}\n`, { mode: 0o600 });
    return point;
  });
}

/** The restore points that were marked and proven, oldest first. Those older than the oldest backup set are left out. */
export async function restorePoints(context: HostContext): Promise<readonly KnownRestorePoint[]> {
  const points = await readPoints(context);
  if (points.length === 0) return points;
  const oldest = await oldestBackup(context);
  return oldest === null ? points : points.filter(point => Date.parse(point.at) >= oldest);
}

async function readPoints(context: HostContext): Promise<KnownRestorePoint[]> {
  const text = await fs
    .readFile(restorePointsFile(context), 'utf8')
    .catch((error: unknown) =>
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? '' : Promise.reject(error as Error),
    );
  return text.split('\n').flatMap(line => {
    if (line.trim() === '') return [];
    try {
      return [JSON.parse(line) as KnownRestorePoint];
    } catch {
      // The last line of a job that was killed while it wrote: that point was never reported to anybody.
      return [];
    }
  });
}

async function oldestBackup({ pgbackrest }: HostContext): Promise<number | null> {
  const info = await stanzaInfo(pgbackrest);
  const [oldest] = info.sets;
  return oldest === undefined ? null : Date.parse(oldest.stoppedAt);
}

async function create(session: Session, name: string): Promise<Mark> {
  const mark = await onlyRow<Mark>(
    session,
    `select lsn::text as lsn, pg_walfile_name(lsn) as segment, failed_count::text as failures,
            to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
       from pg_create_restore_point($1) as lsn, pg_stat_archiver`,
    [name],
  );
  // The record that ends the segment is also the one before which recovery stops.
  await session.query('select pg_switch_wal()');
  return mark;
}

async function untilArchived(context: HostContext, session: Session, mark: Mark): Promise<void> {
  const deadline = Date.now() + context.archiveDeadlineSeconds * 1000;
  const archiveId = await archiveIdOf(context);
  for (let repository = 1; repository <= repositoryCount(context); repository += 1)
    while (!(await isArchived(context, archiveId, mark.segment, repository))) {
      if (Date.now() > deadline) throw await notArchived(context, session, mark);
      await sleep(100);
    }
}

async function archiveIdOf({ pgbackrest }: HostContext): Promise<string> {
  const info = await stanzaInfo(pgbackrest);
  if (info.archiveId === null)
    throw new HoldfastError(
      'engine-failed',
      `the repository of ${pgbackrest.stanza} can’t be read: ${info.repositories.find(({ code }) => code !== 0)?.message ?? info.message}`,
      { hint: 'Is its disk mounted and readable, and its passphrase the one that it was made with?' },
    );
  return info.archiveId;
}

/** Whether exactly this segment is in a repository. */
async function isArchived(
  { pgbackrest }: HostContext,
  archiveId: string,
  segment: string,
  repository: number,
): Promise<boolean> {
  const files = await listFiles(
    pgbackrest,
    `archive/${pgbackrest.stanza}/${archiveId}/${segment.slice(0, 16)}`,
    {
      repository,
      filter: `^${segment}-[0-9a-f]{40}(\\.(gz|lz4|zst|bz2))?$`,
    },
  );
  return files.some(file => file.bytes > 0);
}

async function notArchived(context: HostContext, session: Session, mark: Mark): Promise<HoldfastError> {
  const reason = await lastArchiverFailure(context, session, mark.failures).catch(
    (error: unknown) => asHoldfastError(error).message,
  );
  return new HoldfastError(
    'engine-failed',
    `WAL segment ${mark.segment} of ${clusterOf(context)} did not reach the repository within ${context.archiveDeadlineSeconds} s: ${reason}`,
    {
      hint: 'Nothing was changed. Repair archiving; `holdfast status` shows its failures, the log of the cluster the details.',
    },
  );
}

async function lastArchiverFailure(
  context: HostContext,
  session: Session,
  failuresBefore: string,
): Promise<string> {
  const archiver = await onlyRow<{ wal: string | null; failed: string; mode: string }>(
    session,
    `select last_failed_wal as wal, failed_count::text as failed, current_setting('archive_mode') as mode
       from pg_stat_archiver`,
  );
  if (archiver.mode === 'off') return 'archive_mode is off';
  if (archiver.wal !== null && archiver.failed !== failuresBefore)
    return `archiving ${archiver.wal} fails (${archiver.failed} times)${await spoolError(context, archiver.wal)}`;
  return 'the archiver has reported no failure, it is slow or hangs';
}

/** What the asynchronous archiver of pgBackRest wrote down about a segment. */
export async function spoolError(
  { paths, pgbackrest }: Pick<HostContext, 'paths' | 'pgbackrest'>,
  segment: string,
): Promise<string> {
  const out = path.join(paths.spool, 'archive', pgbackrest.stanza, 'out');
  for (const name of [`${segment}.error`, 'global.error']) {
    const text = await fs.readFile(path.join(out, name), 'utf8').catch(() => null);
    if (text === null) continue;
    // The first line is the error's number; the rest begins with how the message travelled.
    const words = text
      .split('\n')
      .slice(1)
      .filter(line => !line.startsWith('HINT'))
      .join(' ')
      .replace(/^.*encountered error\(s\):\s*/, '');
    return `: ${printable(words.trim())}`;
  }
  return '';
}
