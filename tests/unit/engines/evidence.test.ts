import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import type { HostContext } from '../../../engines/host/context';
import { evidence } from '../../../engines/host/evidence';
import { controlData } from '../../../engines/host/clone/control-data';
import { runningPostmaster } from '../../../engines/host/postgres/data-directory';
import type { ClusterRecord } from '../../../engines/host/record';
import { writeJournal } from '../../../engines/host/replace/journal';
import { withServer } from '../../../engines/host/session';
import { removeTempDirs } from '../../support/temp';
import {
  archived,
  filesOf,
  firstLabel,
  hostContext,
  infoOf,
  listedSet,
  manifestOf,
  pgBackRestIsReal,
  repositoryIs,
  segment,
  serverFacts,
} from './facts';

/*
 * What evidence makes of a server, files and a repository that contradict each other or can't be read: each becomes a
 * problem, and nothing is taken for absent. tests/engine/evidence.test.ts has the real ones.
 */

jest.mock('../../../engines/host/session', () => ({
  ...jest.requireActual<object>('../../../engines/host/session'),
  withServer: jest.fn(),
}));
jest.mock('../../../engines/host/postgres/data-directory', () => ({
  ...jest.requireActual<object>('../../../engines/host/postgres/data-directory'),
  runningPostmaster: jest.fn(),
}));
jest.mock('../../../engines/host/clone/control-data', () => ({ controlData: jest.fn() }));

afterEach(pgBackRestIsReal);
afterAll(removeTempDirs);

const own = '7300000000000000001';
const record: ClusterRecord = {
  schema: 1,
  cluster: 'shop',
  environment: 'production',
  mode: 'managed',
  phase: 'established',
  systemIdentifier: own,
  dataDirectory: '/srv/data',
  pgVersion: 15,
  port: 5440,
  revision: 1,
  createdAt: '2026-01-01T00:00:00.000Z',
  appliedAt: '2026-01-01T00:00:00.000Z',
  establishedAt: '2026-01-01T00:00:00.000Z',
  archivingBefore: null,
};
const set = listedSet();
const sound = {
  info: infoOf([set]),
  archive: { [archived(segment(2))]: 1 },
  backup: filesOf(set),
  contents: { [`backup/shop/${firstLabel}/backup.manifest`]: manifestOf(set) },
};

/** The server answers with these facts; what is an error is thrown. */
function answers(facts: Parameters<typeof serverFacts>[0] | Error, access: object[] | Error = []): void {
  jest.mocked(withServer).mockImplementation(async (_server, _database, use) => {
    if (facts instanceof Error) throw facts;
    const { lsn, ...row } = serverFacts(facts);
    return use({
      query: sql => {
        if (sql.includes('pg_hba_file_rules'))
          return access instanceof Error ? Promise.reject(access) : Promise.resolve(access as never[]);
        const found = sql.includes('pg_control_system')
          ? { ...row, lsn: lsn === null ? null : `0/${lsn.toString(16).toUpperCase()}` }
          : { ssl: 'off', listen: '127.0.0.1, ::1' };
        return Promise.resolve([found] as never[]);
      },
    });
  });
}

/** A cluster whose data, configuration and repository are in order. */
function cluster(settings: Readonly<Record<string, unknown>> = {}): HostContext {
  const installation = () => Promise.resolve({ version: 15, bin: '/nowhere', release: '15.8' });
  const context = hostContext(settings, { installation });
  const { dataDirectory, socketDirectory, configuration } = context.paths;
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(own));
  head.writeUInt32LE(1300, 8);
  for (const directory of [
    path.join(dataDirectory, 'global'),
    path.join(dataDirectory, 'pg_wal/archive_status'),
  ])
    fs.mkdirSync(directory, { recursive: true });
  fs.mkdirSync(socketDirectory, { recursive: true, mode: 0o700 });
  fs.writeFileSync(path.join(dataDirectory, 'global', 'pg_control'), head);
  fs.mkdirSync(path.dirname(configuration), { recursive: true });
  fs.writeFileSync(configuration, '');
  return context;
}

const read = (context: HostContext, known: ClusterRecord | null = record) =>
  evidence(context, { record: known, problem: null });
const problems = async (...from: Parameters<typeof read>) =>
  (await read(...from)).problems.map(({ what }) => what);

beforeEach(() => {
  jest.mocked(runningPostmaster).mockResolvedValue(null);
  jest.mocked(controlData).mockResolvedValue({ segmentBytes: 16 * 1024 * 1024 } as never);
  answers({});
  repositoryIs(sound);
});

test('of a cluster in order has no problems', async () => {
  expect(await read(cluster())).toMatchObject({
    phase: 'established',
    problems: [],
    server: { state: 'running', version: '15.8' },
    identity: { recorded: own, found: own, backedUp: own },
    archive: { failing: null, gaps: [] },
    access: { privateSocket: true, tls: false, listenAddresses: ['127.0.0.1', '::1'] },
  });
});

test('says why the record can’t be read, and what to do', async () => {
  const of = async (problem: HoldfastError) =>
    (await evidence(cluster(), { record: null, problem })).problems[0];
  expect(await of(new HoldfastError('engine-failed', 'it is garbage'))).toEqual({
    what: 'it is garbage',
    remedy: 'Bring the record back.',
  });
  expect(await of(new HoldfastError('engine-failed', 'it is garbage', { hint: 'Mount it.' }))).toMatchObject({
    remedy: 'Mount it.',
  });
});

describe('of the data', () => {
  test('that is gone, though the cluster is known', async () => {
    const context = cluster();
    fs.rmSync(context.paths.dataDirectory, { recursive: true });
    answers(new Error('ECONNREFUSED'));
    expect(await problems(context)).toEqual([
      expect.stringMatching(/is known \(system identifier \d+\), but .* holds no data$/) as string,
    ]);
    // A server that answers without it is told from its own words.
    answers({});
    expect((await read(context)).identity.found).toBe(own);
  });

  test('that can’t be read', async () => {
    const context = cluster();
    fs.writeFileSync(path.join(context.paths.dataDirectory, 'global', 'pg_control'), 'garbage and more');
    expect(await problems(context)).toEqual([
      expect.stringContaining('is not the control file of a known version') as string,
    ]);
  });
});

describe('of the server', () => {
  test('that is another one', async () => {
    answers({ systemIdentifier: '7300000000000000002' });
    expect(await problems(cluster())).toContainEqual(
      expect.stringMatching(/^another server answers for shop: its system identifier is 7300000000000000002/),
    );
  });

  test('that is in recovery', async () => {
    answers({ inRecovery: true, lsn: null });
    const found = await read(cluster());
    expect(found.problems).toMatchObject([{ what: 'the server of shop is in recovery' }]);
    expect(found.archive).toMatchObject({ bytesSinceNewestBackup: null, oldestUnarchivedChangeAt: null });
  });

  test('that runs, but doesn’t answer; one that is down is no problem', async () => {
    answers(new Error('it hangs'));
    expect(await read(cluster())).toMatchObject({
      server: { state: 'stopped', version: null },
      problems: [],
    });
    jest.mocked(runningPostmaster).mockRejectedValueOnce(new Error('EIO'));
    expect(await problems(cluster())).toEqual([]);
    jest.mocked(runningPostmaster).mockResolvedValueOnce({ pid: 1 } as never);
    const found = await read(cluster());
    expect(found.problems).toMatchObject([{ what: 'the server of shop runs, but doesn’t answer: it hangs' }]);
    expect(found).toMatchObject({ server: { state: 'running' }, archive: null });
  });

  test('whose access rules can’t be read', async () => {
    answers({}, new Error('could not open pg_hba.conf'));
    const found = await read(cluster());
    expect(found.problems).toMatchObject([
      { what: 'who may connect can’t be read: could not open pg_hba.conf' },
    ]);
    expect(found.access).toBeUndefined();
  });

  test('whose WAL can’t be read', async () => {
    answers({ lsn: 0x3000100n });
    const context = cluster();
    expect(await problems(context)).toEqual([
      expect.stringMatching(/^the state of archiving can’t be read: .*ENOENT.*pg_wal/) as string,
    ]);
    expect((await read(context)).archive).toBeNull();
  });
});

describe('of Holdfast’s own files', () => {
  test('of which the configuration of pgBackRest is missing', async () => {
    const context = cluster();
    fs.rmSync(context.paths.configuration);
    expect(await problems(context)).toEqual([
      expect.stringContaining('is missing, so the repository can’t be read') as string,
    ]);
  });

  test('of which nothing is there: what else knows the cluster, or that nobody can tell', async () => {
    const context = cluster();
    fs.rmSync(context.paths.configuration);
    expect(await problems(context, null)).toEqual([]);
    fs.mkdirSync(path.join(context.paths.repository, 'backup', 'shop'), { recursive: true });
    expect(await problems(context, null)).toEqual([
      expect.stringContaining('has backups or WAL of a cluster shop') as string,
    ]);
    const { dataDirectory, socketDirectory } = context.paths;
    const source = { mode: 'existing', dataDirectory, socketDirectory, port: 5440 };
    const adopted = hostContext({ source });
    expect(await read(adopted, null)).toMatchObject({ phase: 'adopting', problems: [] });
    fs.mkdirSync(path.join(dataDirectory, 'postgresql.auto.conf'));
    expect(await problems(adopted, null)).toEqual([expect.stringContaining('EISDIR') as string]);
  });

  test('of which the journal of a restore is there, or can’t be read', async () => {
    const context = cluster();
    await writeJournal(context, { state: 'halted', wasRunning: true, swap: null });
    expect(await problems(context)).toEqual([
      expect.stringContaining('a restore is under way or was interrupted (halted, since 20') as string,
    ]);
    fs.writeFileSync(path.join(context.paths.root, 'swap.json'), '{');
    expect(await problems(context)).toEqual([
      expect.stringContaining('the journal of a restore can’t be read') as string,
    ]);
  });
});

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
    jest.mocked(controlData).mockRejectedValueOnce(new Error('no programs'));
    expect((await read(cluster())).restorable).not.toBeNull();
    const context = cluster();
    fs.rmSync(context.paths.dataDirectory, { recursive: true });
    expect((await read(context)).restorable).not.toBeNull();
  });
});
