import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { HoldfastError } from '../../../core/errors';
import type { PgBackRest } from './command';
import type { ListedSet } from './info';
import { filesBelow, localRepository, type RepositoryFile } from './local-repository';

export type { RepositoryFile };

/*
 * What lies in a repository: read from its directory where that is on this machine, else asked of pgBackRest, which knows every
 * place. Neither needs a passphrase for a listing.
 */

const listing = z.record(
  z.string(),
  z.object({ type: z.string(), size: z.number().optional(), time: z.number().optional() }),
);

/** The files below a directory of the repository, or those in it alone that match `filter`; none when it doesn't exist. */
export async function listFiles(
  pgbackrest: PgBackRest,
  directory: string,
  { filter, repository = 1 }: { readonly filter?: string; readonly repository?: number } = {},
): Promise<readonly RepositoryFile[]> {
  const local = await localRepository(pgbackrest.configurationFile, repository);
  if (local !== null)
    return filesBelow(
      path.join(local.directory, directory),
      filter === undefined ? undefined : new RegExp(filter),
    );
  const text = await pgbackrest.run('repo-ls', [
    `--repo=${repository}`,
    '--output=json',
    '--sort=none',
    ...(filter === undefined ? ['--recurse'] : [`--filter=${filter}`]),
    directory,
  ]);
  return parseListing(text);
}

/** The text of a file of the first repository, in clear. @throws when it isn't there, or can't be read. */
export async function readText(pgbackrest: PgBackRest, file: string): Promise<string> {
  const local = await localRepository(pgbackrest.configurationFile, 1);
  return local === null || local.encrypted
    ? pgbackrest.run('repo-get', [file])
    : readFile(path.join(local.directory, file), 'utf8');
}

export function parseListing(text: string): readonly RepositoryFile[] {
  try {
    return Object.entries(listing.parse(JSON.parse(text)))
      .filter(([, entry]) => entry.type === 'file')
      .map(([path, entry]) => ({ path, bytes: entry.size ?? 0, writtenAt: entry.time ?? 0 }));
  } catch (error) {
    throw new HoldfastError('engine-failed', 'pgbackrest repo-ls printed something that can’t be read', {
      hint: 'Run `pgbackrest repo-ls --output=json` by hand; is another program of that name first on the PATH?',
      cause: error,
    });
  }
}

/** A complete WAL segment in the archive. */
export interface ArchivedSegment {
  /** 24 hexadecimal digits. */
  readonly name: string;
  readonly writtenAt: number;
}

const segmentFile = /^(?:[^/]+\/)*([0-9A-F]{24})-[0-9a-f]{40}(?:\.(?:gz|lz4|zst|bz2))?$/;

/** The segments in a listing of the archive; backup labels, partial and half-written files don't count. */
export function archivedSegments(files: readonly RepositoryFile[], archiveId: string): ArchivedSegment[] {
  return files.flatMap(({ path, writtenAt }) => {
    const name = path.startsWith(`${archiveId}/`) ? segmentFile.exec(path)?.[1] : undefined;
    return name === undefined ? [] : [{ name, writtenAt }];
  });
}

/** Timelines whose history file is archived, with the time when it was. */
export function archivedHistories(
  files: readonly RepositoryFile[],
  archiveId: string,
): readonly { readonly timeline: number; readonly archivedAt: number }[] {
  return files.flatMap(({ path, writtenAt }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const isHistory = path.startsWith(`${archiveId}/`) && /^[0-9A-F]{8}\.history(-|\.|$)/.test(name);
    return isHistory ? [{ timeline: parseInt(name, 16), archivedAt: writtenAt }] : [];
  });
}

/** Why the files of a set are not those that it was made of; null when all are there in full size. */
export function missingFiles(set: ListedSet, sizes: ReadonlyMap<string, SetFiles>): string | null {
  const found = sizes.get(set.label);
  if (found === undefined) return 'its directory is missing in the repository';
  if (!found.manifest) return 'its manifest is missing in the repository';
  if (found.bytes !== set.storedBytes)
    return `its files have ${found.bytes} bytes in the repository, but ${set.storedBytes} were written`;
  return null;
}

export interface SetFiles {
  readonly bytes: number;
  readonly manifest: boolean;
}

/** Sums up a listing of the backup directory by set. */
export function filesBySet(files: readonly RepositoryFile[]): ReadonlyMap<string, SetFiles> {
  const sets = new Map<string, { bytes: number; manifest: boolean }>();
  for (const { path, bytes } of files) {
    const label = path.slice(0, path.indexOf('/'));
    if (!/^\d{8}-\d{6}F(_\d{8}-\d{6}[DI])?$/.test(label)) continue;
    const rest = path.slice(label.length + 1);
    const set = sets.get(label) ?? { bytes: 0, manifest: false };
    sets.set(label, set);
    if (/^backup\.manifest(\.copy)?$/.test(rest)) set.manifest ||= bytes > 0;
    else set.bytes += bytes;
  }
  return sets;
}
