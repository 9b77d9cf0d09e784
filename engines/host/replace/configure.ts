import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isSegmentName } from '../../../core/wal';
import type { HostContext } from '../context';
import { clonePaths, placeOf, type ClonePaths } from '../clone/catalog';
import { controlData } from '../clone/control-data';
import { exists, readIfThere, syncDirectory, writeAtomically } from '../files';
import { overriding, writeConfiguration } from '../provision/configure';
import { parseSettings } from '../postgres/configuration-file';

/**
 * Gives the restored data directory the configuration that the original had: of a managed cluster what provisioning
 * writes, of an adopted one the files that it was stopped with.
 */
export async function configureRestored(
  context: HostContext,
  clone: ClonePaths,
  oldData: string,
): Promise<void> {
  const { specification, paths } = context;
  const overrides = await keptOverrides(clone, oldData);
  await fs.rm(path.join(paths.dataDirectory, 'recovery.signal'), { force: true });
  for (const name of ['postgresql.conf', 'pg_hba.conf', 'pg_ident.conf']) {
    const text = await readIfThere(path.join(oldData, name));
    if (text !== null) await writeAtomically(path.join(paths.dataDirectory, name), text);
  }
  await writeAtomically(path.join(paths.dataDirectory, 'postgresql.auto.conf'), overrides);
  // How the server was started: an adopted one may have its configuration elsewhere. The clone's own words are of no use.
  const options = await readIfThere(path.join(oldData, 'postmaster.opts'));
  if (options === null) await fs.rm(path.join(paths.dataDirectory, 'postmaster.opts'), { force: true });
  else await writeAtomically(path.join(paths.dataDirectory, 'postmaster.opts'), options);
  if (specification.settings.source.mode !== 'managed') return;
  await writeConfiguration(
    {
      home: context.home,
      specification,
      paths,
      installation: await context.installation(),
      superuser: context.server.superuser,
    },
    context.server.port,
  );
}

/** pgBackRest appends what a restore needs, `archive_mode = 'off'` included, after this line. */
const addedByRestore = /^# (Recovery|Removed) settings (generated )?by pgBackRest/;

/** What ALTER SYSTEM set on the original; without it what the backup has of that. Nothing of recovery. */
async function keptOverrides(clone: ClonePaths, oldData: string): Promise<string> {
  const current = await readIfThere(path.join(oldData, 'postgresql.auto.conf'));
  const text = current ?? (await readIfThere(clone.restoredOverrides)) ?? '';
  const lines = text.split('\n');
  const added = lines.findIndex(line => addedByRestore.test(line));
  const own = added < 0 || current !== null ? lines : lines.slice(0, added);
  const kept = own.filter(line => Object.keys(parseSettings(line)).every(name => name in overriding(line)));
  return `${kept.join('\n').trimEnd()}\n`;
}

const tablespacesOf = (context: HostContext, id: string): string =>
  path.join(path.dirname(placeOf(context, id).clones), 'tablespaces', id);

/** Takes the tablespaces of a clone out of its directory, which will be removed; links follow. Can be repeated. */
export async function takeTablespaces(context: HostContext, id: string): Promise<void> {
  const { tablespaces } = clonePaths(context, id);
  const target = tablespacesOf(context, id);
  if (await isFilled(tablespaces)) {
    await fs.mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await fs.rename(tablespaces, target);
    await syncDirectory(path.dirname(target));
  }
  await relink(context.paths.dataDirectory, tablespaces, target);
}

/** The opposite, when a swap is undone; the clone's data is back in its own directory already. */
export async function returnTablespaces(context: HostContext, id: string): Promise<void> {
  const { tablespaces, dataDirectory } = clonePaths(context, id);
  const taken = tablespacesOf(context, id);
  if (!(await exists(taken))) return;
  await fs.rm(tablespaces, { recursive: true, force: true });
  await fs.rename(taken, tablespaces);
  await relink(dataDirectory, taken, tablespaces);
}

async function isFilled(directory: string): Promise<boolean> {
  return (await fs.readdir(directory).catch(() => [])).length > 0;
}

/** PostgreSQL follows the links in pg_tblspc, and keeps no other word of where a tablespace is. */
async function relink(dataDirectory: string, from: string, to: string): Promise<void> {
  const links = path.join(dataDirectory, 'pg_tblspc');
  for (const name of await fs.readdir(links).catch(() => [])) {
    const link = path.join(links, name);
    const target = await fs.readlink(link);
    if (!target.startsWith(`${from}/`)) continue;
    const half = path.join(links, `.${name}.${os.hostname()}`);
    await fs.rm(half, { force: true });
    await fs.symlink(path.join(to, target.slice(from.length + 1)), half);
    await fs.rename(half, link);
  }
}

/**
 * Has the archiver take what the clone wrote since its promotion: its timeline's history and complete segments. Without
 * them nobody could recover from an older backup onto the new timeline.
 */
export async function archiveNewTimeline(context: HostContext): Promise<void> {
  const { bin } = await context.installation();
  const { dataDirectory } = context.paths;
  const { timeline, checkpointSegment } = await controlData(bin, dataDirectory);
  const wal = path.join(dataDirectory, 'pg_wal');
  const prefix = timeline.toString(16).toUpperCase().padStart(8, '0');
  const complete = (await fs.readdir(wal)).filter(
    name =>
      name === `${prefix}.history` ||
      (isSegmentName(name) && name.startsWith(prefix) && name < checkpointSegment),
  );
  for (const name of complete) {
    const status = path.join(wal, 'archive_status', name);
    if (!(await exists(`${status}.done`))) await writeAtomically(`${status}.ready`, '');
  }
}
