import fs from 'node:fs';
import path from 'node:path';
import type { ClusterRecord } from '../../../engines/host/record';
import { removeTempDirs } from '../../support/temp';
import {
  allIsInOrder,
  answers,
  asked,
  cluster,
  problems,
  read,
  record,
  set,
  sound,
} from './evidence-support';
import { archived, infoOf, listedSet, pgBackRestIs, pgBackRestIsReal, repositoryIs, segment } from './facts';

/* What evidence makes of a repository that contradicts the cluster or can't be read. */
beforeEach(allIsInOrder);
afterEach(pgBackRestIsReal);
afterAll(removeTempDirs);

describe('of the repository', () => {
  const withStatus = (code: number) =>
    repositoryIs({
      ...sound,
      info: infoOf([set], { repo: [{ cipher: 'none', key: 1, status: { code, message: 'odd' } }] }),
    });
  const provisioning: ClusterRecord = {
    ...record,
    phase: 'provisioning',
    establishedAt: null,
    appliedAt: null,
  };

  test('what fails for a reason that nobody knows is said with where to look', async () => {
    pgBackRestIs('exit 99');
    const { problems: found } = await read(cluster());
    expect(found).toContainEqual({
      what: expect.stringContaining('the repository of shop can’t be read') as string,
      remedy: 'See whether the repository is there and readable for the cluster’s owner.',
    });
  });

  test.each([0, 2, 6])('status %i is no problem', async code => {
    withStatus(code);
    expect(await problems(cluster())).toEqual([]);
  });

  test.each([1, 3])('status %i is none before the first verified backup only', async code => {
    withStatus(code);
    expect(await problems(cluster(), provisioning)).toEqual([]);
    expect(await problems(cluster())).toEqual(['repository 1: odd']);
  });

  test('status 99 is always one', async () => {
    withStatus(99);
    expect(await problems(cluster(), provisioning)).toEqual(['repository 1: odd']);
    expect((await read(cluster(), provisioning)).begunAt).toBeNull();
  });

  test('that knows nothing of an established cluster', async () => {
    repositoryIs({ info: '[]' });
    expect(await problems(cluster())).toEqual(['the repository knows nothing of the cluster']);
    const found = await read(cluster(), provisioning);
    expect(found).toMatchObject({
      problems: [],
      identity: { backedUp: null },
      backups: [],
      restorable: null,
    });
  });
});

describe('of WAL', () => {
  test('that arrived while the repository was read isn’t missing; what can’t be listed again is', async () => {
    answers({ lastArchivedSegment: segment(3) });
    const missing = [{ timeline: 1, from: segment(3), to: segment(3) }];
    const later = async (second: string) => {
      const directory = repositoryIs(sound);
      const script = path.join(directory, 'pgbackrest');
      const both = JSON.parse(fs.readFileSync(path.join(directory, 'archive'), 'utf8')) as Record<
        string,
        unknown
      >;
      const next = { ...both, [archived(segment(3))]: { type: 'file', size: 1, time: 1_767_225_700 } };
      fs.writeFileSync(path.join(directory, 'next'), JSON.stringify(next));
      const text = fs.readFileSync(script, 'utf8');
      fs.writeFileSync(
        script,
        text.replace(
          'cat archive ;;',
          `if [ -e listed ]; then ${second}; else touch listed; cat archive; fi ;;`,
        ),
      );
      return (await read(cluster())).archive?.gaps;
    };
    expect(await later('cat next')).toEqual([]);
    expect(await later('cat archive')).toEqual(missing);
    expect(await later('exit 1')).toEqual(missing);
  });

  test('that is missing is said once, and not of a repository without a usable set', async () => {
    answers({ lastArchivedSegment: segment(4) });
    const holed = { ...sound, archive: { [archived(segment(2))]: 1, [archived(segment(4))]: 1 } };
    repositoryIs(holed);
    expect((await read(cluster())).archive?.gaps).toEqual([
      { timeline: 1, from: segment(3), to: segment(3) },
    ]);
    // What waits is there: what is missing before it ends with what the server archived last.
    const waiting = cluster();
    const status = path.join(waiting.paths.dataDirectory, 'pg_wal', 'archive_status');
    fs.writeFileSync(path.join(status, `${segment(5)}.ready`), '');
    answers({ lastArchivedSegment: segment(4), lsn: null });
    repositoryIs(sound);
    expect((await read(waiting)).archive?.gaps).toEqual([{ timeline: 1, from: segment(3), to: segment(4) }]);
    repositoryIs({ ...sound, info: infoOf([listedSet({ lastSegment: segment(3) })]), archive: {} });
    expect((await read(cluster())).archive?.gaps).toEqual([]);
    repositoryIs({ ...sound, info: infoOf([]) });
    expect((await read(cluster())).archive?.gaps).toEqual([]);
  });

  test('of a server that is down has the size of segments that its control file says, or the usual one', async () => {
    answers(new Error('ECONNREFUSED'));
    const small = { ...sound, archive: { [archived(segment(2))]: 1, [archived(segment(3))]: 1 } };
    repositoryIs(small);
    expect((await read(cluster())).restorable).not.toBeNull();
    asked.controlData.mockRejectedValueOnce(new Error('no programs'));
    expect((await read(cluster())).restorable).not.toBeNull();
    const context = cluster();
    fs.rmSync(context.paths.dataDirectory, { recursive: true });
    expect((await read(context)).restorable).not.toBeNull();
  });
});
