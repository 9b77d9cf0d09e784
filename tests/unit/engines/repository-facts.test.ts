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
  repositoryLies,
  segment,
  type FakeRepository,
} from './facts';

afterEach(pgBackRestIsReal);
afterAll(removeTempDirs);

const s3 = {
  type: 's3',
  bucket: 'shop-backups',
  endpoint: 's3.example.com',
  region: 'eu',
  key: 'AK',
  keySecret: 'SK',
  passphrase: 'remote passphrase 2',
};

/** What is read of a repository with one set and these segments, whose every file is there. */
async function read(
  set: ListedSet,
  segments: readonly string[],
  changes: Partial<FakeRepository> = {},
  repositories: readonly object[] = [{ type: 'local' }],
): Promise<{ facts: RepositoryFacts; calls: string[] }> {
  const path = `backup/shop/${set.label}/backup.manifest`;
  const context = hostContext({ backups: { repositories } });
  const repository = {
    info: infoOf([set]),
    archive: Object.fromEntries(segments.map(name => [archived(name), 1])),
    backup: filesOf(set),
    contents: { [path]: manifestOf(set), [`${path}.copy`]: manifestOf(set) },
    ...changes,
  };
  const directory = repositories[0] === s3 ? repositoryIs(repository) : repositoryLies(context, repository);
  const problems: unknown[] = [];
  const facts = await readRepository(context, null, problem => void problems.push(problem));
  expect(problems).toEqual([]);
  return { facts: facts!, calls: callsOf(directory) };
}

describe.each([
  ['in a directory of this machine', { type: 'local' }],
  ['that pgBackRest is asked of', s3],
])('a set in a repository %s can be restored from', (_, place) => {
  const unusable = async (
    set: ListedSet,
    segments: readonly string[],
    changes: Partial<FakeRepository> = {},
  ): Promise<string | undefined> => {
    const { facts, calls } = await read(set, segments, changes, [place]);
    const asked = calls.filter(call => /^repo-(ls|get) /.test(call));
    expect(asked.length > 0).toBe(place === s3);
    return facts.unusable.get(firstLabel);
  };
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
    const segments = [2, 3, 4].map(number => segment(number));
    const { facts, calls } = await read(long, segments, { backup: large }, [place]);
    expect(facts.unusable.size).toBe(0);
    expect(calls.filter(call => call.startsWith('repo-get'))).toEqual([]);
  });
});

describe('a set can be restored from', () => {
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

  test.each([[[{ type: 'local' }]], [[s3]]])(
    '%j has the timelines of the current archive, and when each began',
    async repositories => {
      const history = '1\t0/3000000\tno recovery target specified\n';
      const archive = {
        [archived(segment(2))]: 1,
        '15-1/00000002.history': history.length,
        '14-1/00000009.history': 40,
      };
      const contents = {
        [`backup/shop/${firstLabel}/backup.manifest`]: manifestOf(listedSet()),
        'archive/shop/15-1/00000002.history': history,
      };
      const { facts } = await read(listedSet(), [], { archive, contents }, repositories);
      expect(facts.histories).toEqual([{ timeline: 2, ancestors: [{ timeline: 1, until: 0x3000000n }] }]);
      expect(facts.historiesArchived).toEqual([{ timeline: 2, archivedAt: 1_767_225_660 }]);
    },
  );

  test('is described with what it takes up; of one off the machine nobody knows what is free', async () => {
    const second = listedSet({ repository: 2, storedBytes: 70 });
    const { facts } = await read(listedSet(), [segment(2)], { info: infoOf([listedSet(), second]) }, [
      { type: 'local' },
      s3,
    ]);
    expect(facts.repositories).toMatchObject([
      {
        id: 'repo1',
        offMachine: false,
        encrypted: false,
        usedBytes: 2 * manifestOf(listedSet()).length + 5 + 1,
      },
      { id: 'repo2', offMachine: true, encrypted: true, usedBytes: 70, freeBytes: null },
    ]);
  });
});
