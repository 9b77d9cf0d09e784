import fs from 'node:fs';
import path from 'node:path';
import type { HostContext } from '../../../engines/host/context';
import { contextOf } from '../../../engines/host/engine';
import type { RepositoryFacts } from '../../../engines/host/evidence-repository';
import type { ServerFacts } from '../../../engines/host/evidence-server';
import { renderConfiguration } from '../../../engines/host/pgbackrest/configuration';
import type { ListedSet, StanzaInfo } from '../../../engines/host/pgbackrest/info';
import { specify } from '../../support/host-cluster';
import { tempDir } from '../../support/temp';

/*
 * Facts as the engine reads them from a repository and a server, and a pgBackRest that prints them: for what no real one
 * can be made to say.
 */

export const firstLabel = '20260101-000000F';

/** The name of a segment of 16 MiB. */
export const segment = (number: number, timeline = 1): string =>
  `${timeline.toString(16).padStart(8, '0')}00000000${number.toString(16).padStart(8, '0')}`.toUpperCase();

/** A full set that needs segment 2. */
export function listedSet(changes: Partial<ListedSet> = {}): ListedSet {
  return {
    label: firstLabel,
    kind: 'full',
    startedAt: '2026-01-01T00:00:00.000Z',
    stoppedAt: '2026-01-01T00:01:00.000Z',
    references: [],
    pageErrors: false,
    firstSegment: segment(2),
    lastSegment: segment(2),
    startLsn: '0/2000028',
    stopLsn: '0/2000100',
    sizeBytes: 10,
    storedBytes: 5,
    annotations: {},
    repository: 1,
    systemIdentifier: '7300000000000000001',
    ...changes,
  };
}

export function facts(
  sets: readonly ListedSet[] = [listedSet()],
  changes: Partial<RepositoryFacts> = {},
): RepositoryFacts {
  const info: StanzaInfo = {
    code: 0,
    message: 'ok',
    backupRunning: false,
    repositories: [{ key: 1, code: 0, message: 'ok' }],
    systemIdentifier: '7300000000000000001',
    archiveId: '15-1',
    sets,
  };
  return {
    info,
    segments: [],
    histories: [],
    historiesArchived: [],
    unusable: new Map(),
    repositories: [],
    ...changes,
  };
}

/** Of a server that archives into the repository, and writes at the begin of segment 3. */
export function serverFacts(changes: Partial<ServerFacts> = {}): ServerFacts {
  return {
    systemIdentifier: '7300000000000000001',
    now: '2026-01-02T00:00:00.000Z',
    version: '15.8',
    programs: '/nowhere',
    inRecovery: false,
    lsn: 0x3000028n,
    timeline: 1,
    segmentBytes: 16 * 1024 * 1024,
    archiveMode: 'on',
    archiveCommand: 'pgbackrest --stanza=shop archive-push %p',
    archiveLibrary: '',
    lastArchivedSegment: segment(2),
    lastArchivedAt: '2026-01-01T00:01:00.000Z',
    lastFailedSegment: null,
    lastFailedAt: null,
    ...changes,
  };
}

/** A cluster `shop` in a fresh home, of which nothing was made. */
export function hostContext(
  cluster: Readonly<Record<string, unknown>> = {},
  changes: Partial<HostContext> = {},
): HostContext {
  return { ...contextOf({ home: tempDir(), specification: specify({ cluster }) }, null), ...changes };
}

const searched = process.env.PATH;

/** pgBackRest is this shell script. Returns its directory, where the script may keep what it is told. */
export function pgBackRestIs(script: string): string {
  const directory = tempDir();
  fs.writeFileSync(path.join(directory, 'pgbackrest'), `#!/bin/sh\ncd '${directory}'\n${script}\n`, {
    mode: 0o755,
  });
  process.env.PATH = `${directory}:${searched}`;
  return directory;
}

/** The real one, if there is any. */
export function pgBackRestIsReal(): void {
  process.env.PATH = searched;
}

/** What `info` prints of a stanza with these sets, as far as it is read. */
export function infoOf(sets: readonly ListedSet[], changes: object = {}): string {
  const kinds = { full: 'full', differential: 'diff', incremental: 'incr' };
  const seconds = (instant: string) => Date.parse(instant) / 1000;
  const text = JSON.stringify([
    {
      archive: [{ database: { id: 1, 'repo-key': 1 }, id: '15-1', max: null, min: null }],
      backup: sets.map(set => ({
        annotation: set.annotations,
        archive: { start: set.firstSegment, stop: set.lastSegment },
        database: { id: 1, 'repo-key': set.repository },
        error: set.pageErrors,
        info: { size: set.sizeBytes, repository: { delta: set.storedBytes } },
        label: set.label,
        lsn: { start: set.startLsn, stop: set.stopLsn },
        reference: set.references,
        timestamp: { start: seconds(set.startedAt), stop: seconds(set.stoppedAt) },
        type: kinds[set.kind],
      })),
      cipher: 'none',
      db: [{ id: 1, 'repo-key': 1, 'system-id': 0, version: '15' }],
      name: 'shop',
      repo: [{ cipher: 'none', key: 1, status: { code: 0, message: 'ok' } }],
      status: { code: 0, lock: { backup: { held: false } }, message: 'ok' },
      ...changes,
    },
  ]);
  return text.replace('"system-id":0', '"system-id":7300000000000000001');
}

/** When every file of a repository was written, in seconds since 1970. */
const writtenAt = 1_767_225_660;

/** What `repo-ls` prints of files with these sizes. */
export function listingOf(files: Readonly<Record<string, number>>): string {
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(files).map(([name, size]) => [name, { type: 'file', size, time: writtenAt }]),
    ),
  );
}

/** The path of an archived segment below the stanza's archive. */
export const archived = (name: string): string => `15-1/${name.slice(0, 16)}/${name}-${'0'.repeat(40)}.lz4`;

/** What a repository of `shop` has: files with their sizes, and the text of some by path. */
export interface FakeRepository {
  readonly info: string;
  readonly archive?: Readonly<Record<string, number>>;
  readonly backup?: Readonly<Record<string, number>>;
  readonly contents?: Readonly<Record<string, string>>;
}

/** pgBackRest prints these: the repository is elsewhere. */
export function repositoryIs(repository: FakeRepository): string {
  const directory = pgBackRestIs(`
echo "$@" >> calls
for last; do :; done
case " $* " in
  *" info "*) cat info ;;
  *" repo-ls "*" archive/"*) cat archive ;;
  *" repo-ls "*) cat backup ;;
  *" repo-get "*) cat "contents/$(echo "$last" | tr / +)" ;;
esac`);
  fs.mkdirSync(path.join(directory, 'contents'));
  const write = (name: string, text: string) => fs.writeFileSync(path.join(directory, name), text);
  write('info', repository.info);
  write('archive', listingOf(repository.archive ?? {}));
  write('backup', listingOf(repository.backup ?? {}));
  for (const [name, text] of Object.entries(repository.contents ?? {}))
    write(path.join('contents', name.replaceAll('/', '+')), text);
  return directory;
}

/** The same in the directory of a cluster on this machine, where pgBackRest says only what it knows of the sets. */
export function repositoryLies({ specification, paths }: HostContext, repository: FakeRepository): string {
  const { info, archive = {}, backup = {}, contents = {} } = repository;
  const directory = pgBackRestIs('echo "$@" >> calls\ncat info');
  fs.writeFileSync(path.join(directory, 'info'), info);
  fs.mkdirSync(paths.root, { recursive: true });
  fs.writeFileSync(paths.configuration, renderConfiguration(specification, paths, 5440));
  for (const [folder, files] of Object.entries({ 'archive/shop': archive, 'backup/shop': backup }))
    for (const [name, size] of Object.entries(files)) {
      const file = path.join(paths.repository, folder, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, contents[`${folder}/${name}`] ?? '');
      fs.truncateSync(file, size);
      fs.utimesSync(file, writtenAt + 0.9, writtenAt + 0.9);
    }
  return directory;
}

/** The commands that pgBackRest was given, without configuration and stanza. */
export function callsOf(directory: string): string[] {
  const text = fs.readFileSync(path.join(directory, 'calls'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map(line => line.replace(/^--config=\S* --stanza=\S* /, ''));
}

/** The files of a set in the repository, complete. */
export const filesOf = (set: ListedSet): Record<string, number> => ({
  [`${set.label}/backup.manifest`]: manifestOf(set).length,
  [`${set.label}/backup.manifest.copy`]: manifestOf(set).length,
  [`${set.label}/bundle/1`]: set.storedBytes,
});

/** A manifest as far as it is read. */
export const manifestOf = ({ label }: ListedSet): string =>
  `[backrest]\n\n[backup]\nbackup-label="${label}"\n`;
