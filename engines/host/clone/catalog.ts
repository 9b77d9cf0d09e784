import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { HoldfastError } from '../../../core/errors';
import type { Clone } from '../../engine';
import { clusterOf, type HostContext } from '../context';
import { isAbsent, readIfThere, writeAtomically } from '../files';
import { socketDirectory } from '../layout';
import { acquire } from '../lock';
import { runningPostmaster } from '../postgres/data-directory';
import { stopServer } from '../postgres/server';
import { readJournal } from '../replace/journal';
import type { Server } from '../session';
import { endPgBackRest, removeTree } from './leftovers';

const entry = z.object({
  schema: z.literal(1),
  id: z.string(),
  purpose: z.enum(['clone', 'verification', 'restore']),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime({ offset: true }),
  /** Set once it answers queries; until then it is incomplete. */
  ready: z.boolean(),
  sizeBytes: z.number(),
  measured: z
    .object({
      restoreSeconds: z.number(),
      replayBytesPerSecond: z.number().nullable(),
      backupSet: z.string(),
      reached: z.string().nullable(),
    })
    .nullable(),
});

export type CloneEntry = Readonly<z.output<typeof entry>>;

/** Where everything of one clone is: `<cluster>/clones/<id>/`. */
export interface ClonePaths {
  readonly root: string;
  readonly entry: string;
  readonly dataDirectory: string;
  readonly tablespaces: string;
  readonly socketDirectory: string;
  /** What its server says. */
  readonly serverLog: string;
  readonly settings: string;
  readonly access: string;
  readonly identities: string;
  /** postgresql.auto.conf as the backup has it: of the original, so the clone doesn't obey it. */
  readonly restoredOverrides: string;
  /** pgBackRest's, with its own spool and locks; gone once the clone has recovered. */
  readonly configuration: string;
  readonly spool: string;
  readonly log: string;
  readonly lock: string;
}

/** The socket of a clone is in a directory of its own, so every clone has this port. */
export const clonePort = 5432;

const idPattern = /^[a-z0-9-]{1,60}$/;

/** Clones whose name begins so are on the disk of the original's data, not on Holdfast's. */
const besideDataPrefix = 'd-';

/** Where clones and kept data are when they have to be on the same disk as the original, and Holdfast's home isn't. */
export function besideData({ paths }: Pick<HostContext, 'paths'>): string {
  return `${paths.dataDirectory}.holdfast`;
}

/** Where a clone is made, and where the original is kept when that clone takes its place. */
export function placeOf(context: Pick<HostContext, 'paths'>, id: string): { clones: string; aside: string } {
  if (!id.startsWith(besideDataPrefix)) return context.paths;
  const directory = besideData(context);
  return { clones: path.join(directory, 'clones'), aside: path.join(directory, 'aside') };
}

/**
 * A new clone's name, `c-20260102-030405-9f3a`: sorts by age, needs no quotes.
 * @param onDataDisk whether it has to be on the disk of the original's data.
 */
export function newCloneId(createdAt: Date, onDataDisk: boolean): string {
  const digits = createdAt.toISOString().replace(/\D/g, '');
  const prefix = onDataDisk ? besideDataPrefix : 'c-';
  return `${prefix}${digits.slice(0, 8)}-${digits.slice(8, 14)}-${randomBytes(2).toString('hex')}`;
}

export function clonePaths(context: Pick<HostContext, 'paths'>, id: string): ClonePaths {
  if (!idPattern.test(id)) throw new HoldfastError('configuration', `"${id}" is not the name of a clone`);
  const root = path.join(placeOf(context, id).clones, id);
  const inside = (name: string): string => path.join(root, name);
  return {
    root,
    entry: inside('clone.json'),
    dataDirectory: inside('data'),
    tablespaces: inside('tablespaces'),
    socketDirectory: socketDirectory(inside('run')),
    serverLog: inside('postgresql.log'),
    settings: inside('postgresql.conf'),
    access: inside('pg_hba.conf'),
    identities: inside('pg_ident.conf'),
    restoredOverrides: inside('restored.auto.conf'),
    configuration: inside('pgbackrest.conf'),
    spool: inside('spool'),
    log: inside('log'),
    lock: inside('lock'),
  };
}

export function cloneServer(context: HostContext, id: string): Server {
  return {
    socketDirectory: clonePaths(context, id).socketDirectory,
    port: clonePort,
    superuser: context.server.superuser,
  };
}

export async function writeEntry(paths: ClonePaths, value: CloneEntry): Promise<void> {
  await writeAtomically(paths.entry, `${JSON.stringify(value, null, 2)}\n`);
}

/** What was written down of a clone; null when nothing (readable) was: it was killed at its very begin. */
export async function readEntry(paths: ClonePaths): Promise<CloneEntry | null> {
  const text = await readIfThere(paths.entry);
  if (text === null) return null;
  try {
    return entry.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** All clones of a cluster, oldest first; those that were killed while they were made are `incomplete`. */
export async function clones(context: HostContext): Promise<readonly Clone[]> {
  const [own, onDataDisk] = await Promise.all([
    namesIn(placeOf(context, 'c-').clones),
    namesIn(placeOf(context, besideDataPrefix).clones),
  ]);
  const ids = [
    ...own.filter(id => !id.startsWith(besideDataPrefix)),
    ...onDataDisk.filter(id => id.startsWith(besideDataPrefix)),
  ];
  const found = await Promise.all(ids.map(id => describeUnlessDropped(context, id)));
  return found
    .flatMap(clone => clone ?? [])
    .sort((one, other) => Date.parse(one.createdAt) - Date.parse(other.createdAt));
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await fs.readdir(directory)).filter(name => idPattern.test(name)).sort();
  } catch (error) {
    if (isAbsent(error)) return [];
    throw error;
  }
}

/** Null when it was dropped since it was listed. */
async function describeUnlessDropped(context: HostContext, id: string): Promise<Clone | null> {
  try {
    return await describeClone(context, id);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

export async function describeClone(context: HostContext, id: string): Promise<Clone> {
  const paths = clonePaths(context, id);
  const [found, postmaster] = await Promise.all([
    readEntry(paths),
    runningPostmaster(paths.dataDirectory).catch(() => null),
  ]);
  const server = cloneServer(context, id);
  const begun = found?.createdAt ?? (await fs.stat(paths.root)).birthtime.toISOString();
  return {
    id,
    purpose: found?.purpose ?? 'clone',
    createdAt: begun,
    expiresAt: found?.expiresAt ?? begun,
    state: found?.ready !== true ? 'incomplete' : postmaster === null ? 'stopped' : 'running',
    sizeBytes: found?.sizeBytes ?? 0,
    connect: ['-h', server.socketDirectory, '-p', String(server.port), '-U', server.superuser, 'postgres'],
    measured: found?.measured ?? null,
  };
}

/**
 * Stops a clone and removes everything of it.
 * @throws HoldfastError `configuration` when there is no such clone; `busy` while it is being made, or takes the place of
 * the original.
 */
export async function dropClone(context: HostContext, id: string): Promise<void> {
  const paths = clonePaths(context, id);
  await fs.access(paths.root).catch((error: unknown) => {
    throw new HoldfastError('configuration', `cluster ${clusterOf(context)} has no clone ${id}`, {
      hint: `See \`holdfast clones ${clusterOf(context)}\`.`,
      cause: error,
    });
  });
  const release = await acquire(paths.root, 'clone');
  await release();
  if ((await readJournal(context))?.swap?.clone === id)
    throw new HoldfastError('busy', `clone ${id} is taking the place of ${clusterOf(context)}`, {
      hint: 'When no restore is running, one was interrupted: `holdfast run-due` finishes or undoes it.',
    });
  await removeClone(context, paths);
}

/** Ends what runs in a clone's directory and removes it. */
export async function removeClone(context: HostContext, paths: ClonePaths): Promise<void> {
  await endPgBackRest(paths.lock);
  await stopServer(
    await context.installation(),
    { dataDirectory: paths.dataDirectory, log: paths.root, cluster: path.basename(paths.root) },
    'immediate',
  );
  // The rest of a drop that is cut off is still shown as a clone: its own directory goes last.
  for (const directory of [paths.socketDirectory, paths.dataDirectory, paths.root])
    await removeTree(directory);
}
