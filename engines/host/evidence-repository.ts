import fs from 'node:fs/promises';
import { asHoldfastError } from '../../core/errors';
import type { Problem, RepositoryEvidence } from '../../core/evidence';
import { isHistoryName, parseHistory, type TimelineHistory } from '../../core/timeline';
import { nextSegment } from '../../core/wal';
import type { HostContext } from './context';
import { passphraseOf, repositoryLocation } from './pgbackrest/configuration';
import { parseInfo, type ListedSet, type StanzaInfo } from './pgbackrest/info';
import {
  archivedHistories,
  archivedSegments,
  listFiles,
  readText,
  type ArchivedSegment,
  type RepositoryFile,
} from './pgbackrest/repository';
import { unusableSets, usableSets, type UsableSet } from './sets';

/** What is in the first repository, as far as it could be read. */
export interface RepositoryFacts {
  readonly info: StanzaInfo;
  readonly segments: readonly ArchivedSegment[];
  readonly histories: readonly TimelineHistory[];
  /** When the history of a timeline was archived, in seconds since 1970: soon after it began. */
  readonly historiesArchived: readonly { readonly timeline: number; readonly archivedAt: number }[];
  /** Why a set can't be restored from, by label. */
  readonly unusable: ReadonlyMap<string, string>;
  readonly repositories: readonly RepositoryEvidence[];
}

/** Above this size a manifest isn't read for evidence; a verification reads it. */
const largestManifest = 4 * 1024 * 1024;

/**
 * Reads the repository: what pgBackRest says, and whether the files of it are there. Reports what can't be read to
 * `problem`, and returns null when nothing can be said.
 */
export async function readRepository(
  context: HostContext,
  recordedIdentifier: string | null,
  problem: (problem: Problem) => void,
): Promise<RepositoryFacts | null> {
  const { pgbackrest } = context;
  const unreadable = (error: unknown): null => {
    const { message, hint } = asHoldfastError(error);
    problem({
      what: `the repository of ${pgbackrest.stanza} can’t be read: ${message}`,
      remedy: hint ?? 'See whether the repository is there and readable for the cluster’s owner.',
    });
    return null;
  };
  const [text, archive, backups] = await Promise.all([
    pgbackrest.run('info', ['--output=json']).catch(unreadable),
    listFiles(pgbackrest, `archive/${pgbackrest.stanza}`).catch(unreadable),
    listFiles(pgbackrest, `backup/${pgbackrest.stanza}`).catch(unreadable),
  ]);
  if (text === null || archive === null || backups === null) return null;
  try {
    const info = parseInfo(text, pgbackrest.stanza);
    const segments = info.archiveId === null ? [] : archivedSegments(archive, info.archiveId);
    const unusable = unusableSets(info, backups, recordedIdentifier);
    const present = new Set(segments.map(segment => segment.name));
    for (const set of usableSets(info.sets, unusable))
      if (!hasItsWal(set, present)) unusable.set(set.label, 'WAL that it needs is missing in the repository');
    const newest = usableSets(info.sets, unusable).at(-1);
    const [histories, broken] = await Promise.all([
      info.archiveId === null ? [] : readHistories(context, archive, info.archiveId),
      newest === undefined ? null : brokenManifest(context, newest, backups),
    ]);
    if (newest !== undefined && broken !== null) unusable.set(newest.label, broken);
    return {
      info,
      segments,
      histories,
      historiesArchived: info.archiveId === null ? [] : archivedHistories(archive, info.archiveId),
      unusable,
      repositories: await describeRepositories(context, text, [...archive, ...backups]),
    };
  } catch (error) {
    return unreadable(error);
  }
}

/** The archive alone once more: for what may have arrived since. */
export async function readSegments(
  { pgbackrest }: HostContext,
  archiveId: string,
): Promise<readonly ArchivedSegment[]> {
  return archivedSegments(await listFiles(pgbackrest, `archive/${pgbackrest.stanza}`), archiveId);
}

/** A set's own WAL: without it the copied files can't be made consistent. */
function hasItsWal({ firstSegment, lastSegment }: UsableSet, present: ReadonlySet<string>): boolean {
  // Names count up the same way for every segment size once both ends are present; 16 MiB is only the step's assumption.
  for (let name = firstSegment, steps = 0; name < lastSegment && steps < 10_000; steps += 1) {
    if (!present.has(name)) return false;
    name = nextPresentOr(name, present);
  }
  return present.has(lastSegment);
}

function nextPresentOr(name: string, present: ReadonlySet<string>): string {
  const next = nextSegment(name, 16 * 1024 * 1024);
  if (present.has(next)) return next;
  // A larger segment size begins the next log file earlier: `…01 0000003F` is followed by `…02 00000000`.
  const log = parseInt(name.slice(8, 16), 16) + 1;
  const beginOfNext = `${name.slice(0, 8)}${log.toString(16).toUpperCase().padStart(8, '0')}00000000`;
  return present.has(beginOfNext) ? beginOfNext : next;
}

async function readHistories(
  { pgbackrest }: HostContext,
  archive: readonly RepositoryFile[],
  archiveId: string,
): Promise<TimelineHistory[]> {
  const names = archive.flatMap(({ path }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    return path === `${archiveId}/${name}` && isHistoryName(name) ? [name] : [];
  });
  return Promise.all(
    names.map(async name =>
      parseHistory(name, await readText(pgbackrest, `archive/${pgbackrest.stanza}/${archiveId}/${name}`)),
    ),
  );
}

/** Why the manifest of a set can't be used, or null. pgBackRest falls back to its copy, so one of both is enough. */
async function brokenManifest(
  { pgbackrest }: HostContext,
  set: ListedSet,
  files: readonly RepositoryFile[],
): Promise<string | null> {
  for (const name of ['backup.manifest', 'backup.manifest.copy']) {
    const path = `${set.label}/${name}`;
    const file = files.find(candidate => candidate.path === path);
    if (file === undefined) continue;
    if (file.bytes > largestManifest) return null;
    const text = await readText(pgbackrest, `backup/${pgbackrest.stanza}/${path}`).catch(
      (error: unknown) => asHoldfastError(error).message,
    );
    if (text.startsWith('[backrest]') && text.includes(`\nbackup-label="${set.label}"\n`)) return null;
  }
  return 'its manifest can’t be read';
}

async function describeRepositories(
  { specification, paths, pgbackrest }: HostContext,
  info: string,
  files: readonly RepositoryFile[],
): Promise<RepositoryEvidence[]> {
  const { repositories } = specification.settings.backups;
  return Promise.all(
    repositories.map(async (repository, index) => {
      const location = repositoryLocation(repository, paths);
      const used =
        index === 0
          ? files.map(file => file.bytes)
          : parseInfo(info, pgbackrest.stanza, index + 1).sets.map(set => set.storedBytes);
      return {
        id: `repo${index + 1}`,
        location,
        offMachine: repository.type === 's3',
        encrypted: passphraseOf(repository) !== undefined,
        usedBytes: used.reduce((sum, bytes) => sum + bytes, 0),
        freeBytes: repository.type === 's3' ? null : await freeBytes(location),
      };
    }),
  );
}

/** Bytes that an ordinary user may still write where a directory is; null when that can't be known. */
export async function freeBytes(directory: string): Promise<number | null> {
  try {
    const { bavail, bsize } = await fs.statfs(directory);
    return bavail * bsize;
  } catch {
    return null;
  }
}
