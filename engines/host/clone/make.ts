import fs from 'node:fs/promises';
import path from 'node:path';
import { asHoldfastError, HoldfastError } from '../../../core/errors';
import type { Problem } from '../../../core/evidence';
import type { CloneMeasurement, CloneRequest, FinishedClone, Watch } from '../../engine';
import { clusterOf, type HostContext } from '../context';
import { freeBytes, readRepository, type RepositoryFacts } from '../evidence-repository';
import { acquire } from '../lock';
import { PgBackRest } from '../pgbackrest/command';
import { progressReader } from '../pgbackrest/progress';
import type { Settings } from '../postgres/configuration-file';
import { runningPostmaster } from '../postgres/data-directory';
import { restoreCommand } from '../postgres/settings';
import { assertSwappable } from '../replace/one-step';
import { markRestorePoint } from '../restore-point';
import { withServer } from '../session';
import {
  besideData,
  clonePaths,
  cloneServer,
  describeClone,
  newCloneId,
  placeOf,
  removeClone,
  writeEntry,
  type CloneEntry,
  type ClonePaths,
} from './catalog';
import { replayRate, type RecoveryLog } from './recovery-log';
import { recover } from './server';
import {
  forgetRepository,
  preloadedLibraries,
  writeCloneConfiguration,
  writeCloneSettings,
} from './settings';
import { refuseWithoutSpace } from './space';
import { planClone, untilLsn, type Plan } from './target';

/** Restores the cluster as it was at a moment beside the original, and starts it there. */
export async function clone(
  context: HostContext,
  request: CloneRequest,
  watch: Watch,
): Promise<FinishedClone> {
  if (request.purpose === 'restore') await assertSwappable(context);
  const planned = await planClone(context, request, await repositoryFacts(context));
  const { set } = planned;
  const createdAt = new Date();
  const id = newCloneId(createdAt, request.purpose === 'restore' && (await isOnOtherDisk(context)));
  const paths = clonePaths(context, id);
  await makePlace(context, id);
  await refuseWithoutSpace(context, set, path.dirname(paths.root));
  await fs.mkdir(paths.root, { mode: 0o700 });
  const release = await acquire(paths.root, 'clone');
  const entry: CloneEntry = {
    schema: 1,
    id,
    purpose: request.purpose,
    createdAt: createdAt.toISOString(),
    expiresAt: request.expiresAt,
    ready: false,
    sizeBytes: set.sizeBytes,
    measured: null,
  };
  try {
    await writeEntry(paths, entry);
    const measured = await restoreAndRecover(context, paths, planned, request, watch);
    await writeEntry(paths, { ...entry, ready: true, measured });
    return { ...(await describeClone(context, id)), measured };
  } catch (error) {
    const cause = await explainFullDisk(path.dirname(paths.root), error);
    await removeClone(context, paths);
    throw cause;
  } finally {
    await release();
  }
}

/** What is to take the original's place must be on its disk: then the swap is a rename, and takes no time. */
async function isOnOtherDisk({ paths }: HostContext): Promise<boolean> {
  const [holdfast, data] = await Promise.all(
    [paths.root, path.dirname(paths.dataDirectory)].map(directory => fs.stat(directory)),
  );
  return holdfast?.dev !== data?.dev;
}

async function makePlace(context: HostContext, id: string): Promise<void> {
  const { clones } = placeOf(context, id);
  await fs.mkdir(clones, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new HoldfastError(
      'refused',
      `${clones}, where the cluster would be restored, can’t be made: ${(cause as Error).message}`,
      {
        hint: `Make ${besideData(context)}, owned by the cluster’s owner, and ${path.dirname(context.paths.dataDirectory)} writable for them. Nothing was changed.`,
        cause,
      },
    );
  });
}

/**
 * Brings what a running cluster has written so far into the repository, for a clone of its latest moment: recovery to that
 * is exact. Null for any other target, and where it can't be done, which is told: then recovery goes as far as WAL is there.
 */
async function archiveLatest(
  context: HostContext,
  { target }: CloneRequest,
  { report }: Watch,
): Promise<Settings | null> {
  if (target.type !== 'latest' || (await runningPostmaster(context.paths.dataDirectory)) === null)
    return null;
  try {
    const { position, timeline } = await markRestorePoint(context, 'holdfast clone', false);
    return untilLsn(position, timeline, false);
  } catch (error) {
    const { message } = asHoldfastError(error);
    report({ fraction: null, step: `the latest WAL can’t be archived, going on without it: ${message}` });
    return null;
  }
}

async function repositoryFacts(context: HostContext): Promise<RepositoryFacts> {
  const problems: Problem[] = [];
  const facts = await readRepository(context, null, problem => void problems.push(problem));
  if (facts !== null && facts.info.sets.length > 0) return facts;
  const [problem] = problems;
  const status = facts?.info.repositories.find(({ code }) => code !== 0);
  throw new HoldfastError(
    'engine-failed',
    problem?.what ??
      `cluster ${clusterOf(context)} has no backup sets: ${status?.message ?? 'none was taken'}`,
    { hint: problem?.remedy ?? `holdfast backup ${clusterOf(context)} --kind full` },
  );
}

async function restoreAndRecover(
  context: HostContext,
  paths: ClonePaths,
  planned: Plan,
  request: CloneRequest,
  watch: Watch,
): Promise<CloneMeasurement> {
  const began = performance.now();
  const { set } = planned;
  const libraries = preloadedLibraries(context);
  // While the files are restored. It never fails.
  const archiving = archiveLatest(context, request, watch);
  await restoreFiles(context, paths, set.label, watch).finally(() => archiving);
  const latest = await archiving;
  const { recovery, lastSegment } = latest === null ? planned : { recovery: latest, lastSegment: null };
  const fetched: Settings = {
    restore_command: restoreCommand({ configuration: paths.configuration, cluster: clusterOf(context) }),
  };
  const attempt = async (target: Settings): Promise<RecoveryLog> => {
    await writeCloneSettings(context, paths, { ...fetched, ...target }, await libraries);
    return recover(context, paths, watch);
  };
  watch.report({ fraction: null, step: 'recovering' });
  let log = await attempt(recovery);
  if (log.endedEarly || log.fatal === null) assertReachedEnd(lastSegment, log, request);
  if (log.endedEarly && request.target.type === 'time' && log.redoDoneAt !== null)
    // No transaction committed after the target: what was replayed is the state at that time. WAL that arrives meanwhile
    // is not, so recovery is held to where it was.
    log = await attempt(untilLsn(log.redoDoneAt, String(recovery.recovery_target_timeline), true));
  if (log.fatal !== null) throw notRecovered(paths, log);
  const restoreSeconds = (performance.now() - began) / 1000;
  await forgetRepository(context, paths, await libraries);
  await withServer(cloneServer(context, path.basename(paths.root)), 'postgres', session =>
    session.query('select pg_reload_conf()'),
  );
  return {
    restoreSeconds,
    replayBytesPerSecond: replayRate(log),
    backupSet: set.label,
    reached: log.lastTransactionAt,
  };
}

async function restoreFiles(
  context: HostContext,
  paths: ClonePaths,
  label: string,
  { report, signal }: Watch,
): Promise<void> {
  await fs.mkdir(paths.dataDirectory, { mode: 0o700 });
  await fs.mkdir(paths.tablespaces, { mode: 0o700 });
  await writeCloneConfiguration(context, paths);
  const read = progressReader('restoring');
  await new PgBackRest(paths.configuration, clusterOf(context)).run(
    'restore',
    [
      `--set=${label}`,
      '--type=default',
      '--archive-mode=off',
      `--tablespace-map-all=${paths.tablespaces}`,
      '--log-level-console=detail',
    ],
    {
      signal,
      onLine: line => {
        const progress = read(line);
        if (progress) report(progress);
      },
    },
  );
}

/**
 * PostgreSQL takes every failure of restore_command for the end of the WAL, that of a damaged segment too: the state there
 * would pass for the one that was asked for.
 */
function assertReachedEnd(lastSegment: string | null, log: RecoveryLog, { target }: CloneRequest): void {
  // A time that was reached is before the end.
  if (lastSegment === null || (target.type === 'time' && !log.endedEarly)) return;
  if (log.segment !== null && log.segment >= lastSegment) return;
  throw new HoldfastError(
    'engine-failed',
    `recovery ended with WAL segment ${String(log.segment)}, though the repository has WAL until ${lastSegment}: the segment after it is damaged or can’t be fetched`,
    {
      hint: 'Look at that segment (`pgbackrest verify`), or name a moment before its end. The unfinished clone was removed.',
    },
  );
}

function notRecovered(paths: ClonePaths, log: RecoveryLog): HoldfastError {
  return new HoldfastError(
    'engine-failed',
    log.endedEarly
      ? 'the WAL in the repository ends before the moment to go back to'
      : `the restored cluster did not recover: ${String(log.fatal)}`,
    {
      hint: log.endedEarly
        ? 'Name an earlier moment; `holdfast status` says until when the cluster can be restored.'
        : `The clone in ${paths.root} was removed. \`holdfast status\` shows gaps in the WAL; another backup set may do.`,
    },
  );
}

const fullDiskBytes = 64 * 1024 * 1024;

/** A full disk says nothing about the backup set: whoever verifies must be able to tell. */
async function explainFullDisk(directory: string, error: unknown): Promise<unknown> {
  const free = await freeBytes(directory);
  if (free === null || free > fullDiskBytes) return error;
  return new HoldfastError('refused', `the disk of ${directory} became full while the clone was made`, {
    hint: 'Free space there, or drop clones that aren’t needed any more. The unfinished clone was removed.',
    cause: error,
  });
}
