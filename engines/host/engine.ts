import { asHoldfastError, HoldfastError } from '../../core/errors';
import type { HostSpecification } from '../../core/specification';
import type { Engine } from '../engine';
import { backup } from './backup';
import { clones, cloneServer, dropClone } from './clone/catalog';
import { checkIntegrity } from './clone/integrity';
import { clone } from './clone/make';
import type { HostContext } from './context';
import { evidence, type RecordRead } from './evidence';
import { pathsOf, type ClusterPaths } from './layout';
import { withClusterLock } from './lock';
import { fileMemory } from './memory';
import { operation } from './operation';
import { ownerName } from './owner';
import { PgBackRest } from './pgbackrest/command';
import { dataVersion } from './postgres/data-directory';
import { findInstallation, type Installation } from './postgres/installation';
import { drift } from './provision/inspect';
import { readRecord, updateRecord, type ClusterRecord } from './record';
import { halt, resume } from './replace/halt';
import { readJournal } from './replace/journal';
import { replaceWith, settle } from './replace/swap';
import { markRestorePoint, restorePoints } from './restore-point';
import { withServer } from './session';
import { lastCounts, recordVerification } from './verification';

export interface HostEngineOptions {
  /** Holdfast's directory on this machine. */
  readonly home: string;
  readonly specification: HostSpecification;
  /** Seconds within which WAL has to reach the repository once it was asked for. @default 60 */
  readonly archiveDeadlineSeconds?: number;
}

/** PostgreSQL and pgBackRest on this machine. This process has to be the cluster's owner. */
export function openHostEngine(options: HostEngineOptions): Engine {
  const paths = pathsOf(options.home, options.specification);
  const opened = async (): Promise<HostContext> => {
    const { record, problem } = await readRecordOf(options);
    if (problem !== null) throw problem;
    return contextOf(options, record);
  };
  return {
    memory: fileMemory(paths.root),
    goesOnAlone: false,
    evidence: async () => {
      const read = await readRecordOf(options);
      return evidence(contextOf(options, read.record), read);
    },
    drift: async () => {
      const found = await drift(options.specification, { home: options.home });
      return found.map(({ what, expected, found: now }) => `${what}: ${now} instead of ${expected}`);
    },
    establish: async () => {
      const record = await readRecord(paths);
      if (record === null || record.phase === 'established') return;
      await updateRecord(paths, { phase: 'established', establishedAt: new Date().toISOString() });
    },
    backup: (kind, annotations) => operation(async watch => backup(await opened(), kind, annotations, watch)),
    recordVerification: async (backupSet, verification, counts) =>
      recordVerification(await opened(), backupSet, verification, counts),
    lastCounts: async () => lastCounts(await opened()),
    markRestorePoint: async name => markRestorePoint(await opened(), name),
    restorePoints: async () => restorePoints(await opened()),
    clone: request => operation(async watch => clone(await opened(), request, watch)),
    clones: async () => clones(await opened()),
    dropClone: async id => dropClone(await opened(), id),
    checkIntegrity: async (made, checklist, watch) =>
      checklist.tick('pg_amcheck', await checkIntegrity(await opened(), made, watch)),
    halt: async () => halt(await opened()),
    resume: async () => {
      await resume(await opened());
    },
    replaceWith: made => operation(async watch => replaceWith(await opened(), made, watch)),
    restoring: async () => (await readJournal({ paths })) !== null,
    settle: async () => settle(await opened()),
    withSession: async ({ database, clone: made }, use) => {
      const context = await opened();
      return withServer(made === undefined ? context.server : cloneServer(context, made.id), database, use);
    },
    withLock: (lock, holder, use) => withClusterLock(paths.lock, lock, holder, use),
  };
}

async function readRecordOf(options: HostEngineOptions): Promise<RecordRead> {
  try {
    return { record: await readRecord(pathsOf(options.home, options.specification)), problem: null };
  } catch (error) {
    return { record: null, problem: asHoldfastError(error) };
  }
}

/** The engine's functions work on this. */
export function contextOf(options: HostEngineOptions, record: ClusterRecord | null): HostContext {
  const { home, specification, archiveDeadlineSeconds = 60 } = options;
  let installation: Promise<Installation> | undefined;
  const { source, owner } = specification.settings;
  const paths = pathsOf(home, specification);
  return {
    home,
    specification,
    paths,
    server: {
      socketDirectory: paths.socketDirectory,
      port: record?.port ?? source.port ?? 0,
      superuser: ownerName(owner),
    },
    pgbackrest: new PgBackRest(paths.configuration, paths.cluster),
    installation: () => (installation ??= installationOf(record?.pgVersion ?? null, source, paths)),
    archiveDeadlineSeconds,
  };
}

async function installationOf(
  version: number | null,
  source: HostSpecification['settings']['source'],
  paths: ClusterPaths,
): Promise<Installation> {
  return findInstallation(version ?? (await versionOf(source, paths)));
}

async function versionOf(
  source: HostSpecification['settings']['source'],
  paths: ClusterPaths,
): Promise<number> {
  if (source.mode === 'managed') return source.version;
  const version = await dataVersion(paths.dataDirectory);
  if (version !== null) return version;
  throw new HoldfastError('engine-failed', `there is no cluster in ${paths.dataDirectory}`, {
    hint: 'Is its disk mounted?',
  });
}
