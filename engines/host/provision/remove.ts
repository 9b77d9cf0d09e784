import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import type { HostSpecification } from '../../../core/specification';
import { besideData } from '../clone/catalog';
import { removeTree } from '../clone/leftovers';
import { exists, readIfThere, writeAtomically } from '../files';
import { withClusterLock } from '../lock';
import { clusterPaths, pathsOf, socketDirectory, type ClusterPaths } from '../layout';
import { dataVersion, runningPostmaster, systemIdentifierOf } from '../postgres/data-directory';
import { nurseryPrefix } from '../postgres/initialise';
import { findInstallation } from '../postgres/installation';
import { reload } from '../postgres/reload';
import { stopServer } from '../postgres/server';
import { PgBackRest } from '../pgbackrest/command';
import { readRecord, type ClusterRecord } from '../record';
import { withServer } from '../session';
import { adoptedSettings } from './adopted-settings';
import { runningServer, superuserOf } from './context';

export interface RemoveOptions {
  readonly home: string;
  readonly report: (step: string) => void;
}

/**
 * Removes a staging cluster: a managed one with its data, an adopted one's archiving; in both cases its backups and
 * everything that Holdfast kept. Production is always refused. What isn't there any more is no error. Its schedule is
 * removed by `removeSchedule`. Run it as the cluster's owner.
 *
 * @throws HoldfastError `refused` for production, `busy` while a backup or restore runs.
 */
export async function remove(specification: HostSpecification, options: RemoveOptions): Promise<void> {
  const paths = pathsOf(options.home, specification);
  const record = await readRecord(paths);
  if (specification.environment === 'production' || record?.environment === 'production')
    throw new HoldfastError(
      'refused',
      `cluster ${specification.cluster} is production: it is never removed`,
      {
        hint: 'Keep it in the program. To take a local default apart: `holdfast down --production`.',
      },
    );
  await erase(specification, { ...options, keepRepository: false });
}

export interface EraseOptions extends RemoveOptions {
  /** Keeps backups and WAL, from which bare pgBackRest can restore it; its last WAL is archived. */
  readonly keepRepository: boolean;
  /** Keeps what says that there was a cluster, and what its timer is: until the timer is removed. @default false */
  readonly keepNotes?: boolean;
}

/**
 * Erases a cluster whatever its environment: for a person who has said so in as many words, after a final backup. Everything
 * else uses `remove`. Interrupted, the same call goes on.
 */
export async function erase(specification: HostSpecification, options: EraseOptions): Promise<void> {
  const paths = pathsOf(options.home, specification);
  if (!(await exists(paths.root))) return;
  await withClusterLock(paths.lock, 'restore', 'host remove', async () => {
    const record = await readRecord(paths);
    await stopClones(paths, options.report);
    if (specification.settings.source.mode === 'existing') await letGo(specification, paths, record);
    else await eraseData(paths, record, options);
    await removeTree(besideData({ paths }));
    // Without a record nothing says that the backups are this cluster's.
    if (!options.keepRepository && record !== null)
      await eraseRepository(specification, paths, options.report);
  });
  if (specification.settings.source.mode === 'managed' && !paths.socketDirectory.startsWith(paths.root))
    await fs.rm(paths.socketDirectory, { recursive: true, force: true });
  if (options.keepNotes === true) return;
  options.report(`removing ${paths.root}`);
  await emptyRoot(paths.root);
}

/** The record goes last, so that what an interrupted removal left is still known; the directory itself may be root's to remove. */
async function emptyRoot(root: string): Promise<void> {
  for (const name of await fs.readdir(root))
    if (name !== 'record.json') await fs.rm(path.join(root, name), { recursive: true, force: true });
  await fs.rm(path.join(root, 'record.json'), { force: true });
  await fs.rmdir(root).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  });
}

async function stopClones(paths: ClusterPaths, report: (step: string) => void): Promise<void> {
  for (const directory of [paths.clones, path.join(besideData({ paths }), 'clones')])
    for (const id of await fs.readdir(directory).catch(() => [])) {
      const dataDirectory = path.join(directory, id, 'data');
      if ((await runningPostmaster(dataDirectory)) !== null) {
        report(`stopping clone ${id}`);
        await stopData({ ...paths, dataDirectory }, 'immediate');
      }
      // It lies elsewhere when this path is too long for a socket.
      await fs.rm(socketDirectory(path.join(directory, id, 'run')), { recursive: true, force: true });
    }
}

/** Beside the data while it is erased: whose it is, once the control file is gone that says so. */
const erasingMark = '.holdfast-erasing';

/**
 * The control file goes first: a data directory that has one is whole, so an interrupted run leaves either all of the data, or
 * none that anybody could take for it.
 */
async function eraseData(
  paths: ClusterPaths,
  record: ClusterRecord | null,
  { report, keepRepository }: EraseOptions,
): Promise<void> {
  const found = await systemIdentifierOf(paths.dataDirectory);
  // Somebody else's data is never erased, wherever the specification points to.
  if (found !== null && found !== record?.systemIdentifier)
    throw new HoldfastError(
      'refused',
      `${paths.dataDirectory} holds another cluster (system identifier ${found}) than ${paths.cluster} on record`,
      { hint: 'Is the right disk mounted there? Nothing was removed.' },
    );
  report('stopping the server');
  await stopData(paths, keepRepository ? 'fast' : 'immediate');
  if (found === null && typeof record?.systemIdentifier === 'string')
    report(`there was no data in ${paths.dataDirectory}`);
  const inside = (name: string): string => path.join(paths.dataDirectory, name);
  const mark = inside(erasingMark);
  const begun = found === null && (await readIfThere(mark)) === record?.systemIdentifier;
  if (found !== null) {
    await writeAtomically(mark, found);
    await fs.rm(inside('global/pg_control'));
  }
  for (const name of await fs.readdir(paths.dataDirectory).catch(() => []))
    if (name !== erasingMark && (found !== null || begun || name.startsWith(nurseryPrefix)))
      await fs.rm(inside(name), { recursive: true, force: true });
  if (found !== null || begun) await fs.rm(mark, { force: true });
}

async function stopData(paths: ClusterPaths, mode: 'fast' | 'immediate'): Promise<void> {
  const version = await dataVersion(paths.dataDirectory);
  if (version !== null) await stopServer(await findInstallation(version), paths, mode);
}

/**
 * Gives an adopted cluster its own archiving back. One that did not archive before goes on without until its next restart:
 * an empty command would keep all WAL for ever.
 */
async function letGo(
  specification: HostSpecification,
  paths: ClusterPaths,
  record: ClusterRecord | null,
): Promise<void> {
  const server = await runningServer({ paths, superuser: superuserOf(specification) });
  if (record === null) return;
  if (server === null)
    throw new HoldfastError(
      'engine-failed',
      `cluster ${paths.cluster} is not running, so its archiving can't be given back`,
      {
        hint: 'Start it as you always do, and try again. Nothing was removed.',
      },
    );
  await withServer(server, 'postgres', async session => {
    for (const name of Object.keys(adoptedSettings(specification, paths)))
      await session.query(`alter system reset ${name}`);
    if (record.archivingBefore?.archive_mode === 'off') {
      await session.query('alter system reset archive_mode');
      await session.query(`alter system set archive_command = '/bin/true'`);
    }
    await reload(session);
  });
}

async function eraseRepository(
  specification: HostSpecification,
  paths: ClusterPaths,
  report: (step: string) => void,
): Promise<void> {
  if ((await readIfThere(paths.configuration)) === null) return;
  report('removing its backups');
  const pgbackrest = new PgBackRest(paths.configuration, paths.cluster);
  await pgbackrest.run('stop', []);
  for (const index of specification.settings.backups.repositories.keys())
    await pgbackrest.run('stanza-delete', [`--repo=${index + 1}`, '--force']);
  await pgbackrest.run('start', []);
  for (const name of await fs.readdir(paths.repository).catch(() => []))
    await fs.rm(path.join(paths.repository, name), { recursive: true, force: true });
}

/**
 * The production seal: passes only when no cluster of these holds data any more.
 * @throws HoldfastError `refused` as long as one does, or when that can't be known.
 */
export async function seal(clusters: readonly string[], home: string): Promise<void> {
  for (const cluster of clusters) {
    const paths = clusterPaths(home, cluster);
    const record = await readRecord(paths);
    if (record?.environment === 'staging') continue;
    const holds = await whatIsThere(paths, record);
    if (holds !== null)
      throw new HoldfastError('refused', `production cluster ${cluster} holds data: ${holds}`, {
        hint: 'A production stack is not destroyed as long as its clusters hold data. Nothing was deleted.',
      });
  }
}

async function whatIsThere(paths: ClusterPaths, record: ClusterRecord | null): Promise<string | null> {
  if (typeof record?.systemIdentifier === 'string')
    return `system identifier ${record.systemIdentifier} in ${record.dataDirectory}`;
  if ((await dataVersion(paths.dataDirectory)) !== null) return paths.dataDirectory;
  return null;
}
