import { readRepository, type RepositoryFacts } from '../../../engines/host/evidence-repository';
import type { ListedSet } from '../../../engines/host/pgbackrest/info';
import { toBackupSet, unusableSets } from '../../../engines/host/sets';
import { removeTempDirs } from '../../support/temp';
import {
  archived,
  callsOf,
  filesOf,
  firstLabel,
  hostContext,
  infoOf,
  listedSet,
  manifestOf,
  pgBackRestIsReal,
  repositoryIs,
  segment,
} from './facts';

afterEach(pgBackRestIsReal);
afterAll(removeTempDirs);

/** What is read of a repository with one set and these segments, whose every file is there. */
async function read(
  set: ListedSet,
  segments: readonly string[],
  changes: Partial<Parameters<typeof repositoryIs>[0]> = {},
  cluster: Readonly<Record<string, unknown>> = {},
): Promise<{ facts: RepositoryFacts; calls: string[] }> {
  const path = `backup/shop/${set.label}/backup.manifest`;
  const directory = repositoryIs({
    info: infoOf([set]),
    archive: Object.fromEntries(segments.map(name => [archived(name), 1])),
    backup: filesOf(set),
    contents: { [path]: manifestOf(set), [`${path}.copy`]: manifestOf(set) },
    ...changes,
  });
  const problems: unknown[] = [];
  const facts = await readRepository(hostContext(cluster), null, problem => void problems.push(problem));
  expect(problems).toEqual([]);
  return { facts: facts!, calls: callsOf(directory) };
}
const unusable = async (...from: Parameters<typeof read>) =>
  (await read(...from)).facts.unusable.get(firstLabel);

describe('a set can be restored from', () => {
  const long = listedSet({ firstSegment: segment(2), lastSegment: segment(4) });
  const missing = 'WAL that it needs is missing in the repository';

  test('when all WAL is there that was written while it was taken', async () => {
    expect(
      await unusable(
        long,
        [2, 3, 4].map(number => segment(number)),
      ),
    ).toBeUndefined();
  });

  test.each([[[3, 4]], [[2, 4]], [[2, 3]], [[]]])('not with the segments %j alone', async numbers => {
    expect(
      await unusable(
        long,
        numbers.map(number => segment(number)),
      ),
    ).toBe(missing);
  });

  test('when its WAL goes on in the next log file, whatever the size of a segment', async () => {
    const across = listedSet({ firstSegment: segment(0x3f), lastSegment: '000000010000000100000000' });
    expect(await unusable(across, [across.firstSegment!, across.lastSegment!])).toBeUndefined();
    expect(await unusable(across, [across.firstSegment!])).toBe(missing);
  });

  test('when one of its manifest and the copy of that can be read', async () => {
    const { [`${firstLabel}/backup.manifest`]: gone, ...rest } = filesOf(long);
    expect(gone).toBeGreaterThan(0);
    const segments = [2, 3, 4].map(number => segment(number));
    expect(await unusable(long, segments, { backup: rest })).toBeUndefined();
    expect(await unusable(long, segments, { contents: {} })).toBe('its manifest can’t be read');
  });

  test('without a look into a manifest of many megabytes, which a verification reads', async () => {
    const large = { ...filesOf(long), [`${firstLabel}/backup.manifest`]: 5 * 1024 * 1024 };
    const { facts, calls } = await read(
      long,
      [2, 3, 4].map(number => segment(number)),
      { backup: large },
    );
    expect(facts.unusable.size).toBe(0);
    expect(calls.filter(call => call.startsWith('repo-get'))).toEqual([]);
  });

  test.each([
    [{ pageErrors: true }, 'page checksums were wrong while it was taken'],
    [{ systemIdentifier: '2' }, 'it is of another cluster (system identifier 2)'],
    [{ firstSegment: null }, 'it does not say which WAL it needs'],
    [{ lastSegment: null }, 'it does not say which WAL it needs'],
  ])('not with %j', (changes, reason) => {
    const info = {
      ...{ code: 0, message: '', backupRunning: false, repositories: [] },
      systemIdentifier: '1',
      archiveId: null,
    };
    const set = listedSet({ systemIdentifier: '1', ...changes });
    const files = Object.entries(filesOf(set)).map(([path, bytes]) => ({ path, bytes, writtenAt: 1 }));
    expect(unusableSets({ ...info, sets: [set] }, files, '1').get(set.label)).toBe(reason);
    expect(toBackupSet(set, reason)).toMatchObject({ id: firstLabel, unusable: reason });
  });

  test('not when a set that it needs is not even listed', () => {
    const set = listedSet({ references: ['20251231-000000F'] });
    const files = Object.entries(filesOf(set)).map(([path, bytes]) => ({ path, bytes, writtenAt: 1 }));
    const info = {
      code: 0,
      message: '',
      backupRunning: false,
      repositories: [],
      systemIdentifier: null,
      archiveId: null,
    };
    expect(unusableSets({ ...info, sets: [set] }, files, null).get(set.label)).toBe(
      'it needs 20251231-000000F: which is missing in the repository',
    );
  });
});

describe('a repository', () => {
  test('without an archive yet has neither segments nor timelines', async () => {
    const { facts } = await read(listedSet(), [], { info: infoOf([], { archive: [] }), backup: {} });
    expect(facts).toMatchObject({ segments: [], histories: [], historiesArchived: [] });
  });

  test('has the timelines of the current archive, and when each began', async () => {
    const { facts } = await read(listedSet(), [], {
      archive: { [archived(segment(2))]: 1, '15-1/00000002.history': 40, '14-1/00000009.history': 40 },
      contents: {
        [`backup/shop/${firstLabel}/backup.manifest`]: manifestOf(listedSet()),
        'archive/shop/15-1/00000002.history': '1\t0/3000000\tno recovery target specified\n',
      },
    });
    expect(facts.histories).toEqual([{ timeline: 2, ancestors: [{ timeline: 1, until: 0x3000000n }] }]);
    expect(facts.historiesArchived).toEqual([{ timeline: 2, archivedAt: 1_767_225_660 }]);
  });

  test('is described with what it takes up; of one off the machine nobody knows what is free', async () => {
    const repositories = [
      { type: 'local' },
      {
        type: 's3',
        bucket: 'shop-backups',
        endpoint: 's3.example.com',
        region: 'eu',
        key: 'AK',
        keySecret: 'SK',
        passphrase: 'remote passphrase 2',
      },
    ];
    const second = listedSet({ repository: 2, storedBytes: 70 });
    const { facts } = await read(
      listedSet(),
      [segment(2)],
      { info: infoOf([listedSet(), second]) },
      { backups: { repositories } },
    );
    expect(facts.repositories).toMatchObject([
      { id: 'repo1', offMachine: false, encrypted: false, usedBytes: 9 + 9 + 5 + 1 },
      { id: 'repo2', offMachine: true, encrypted: true, usedBytes: 70, freeBytes: null },
    ]);
  });
});
