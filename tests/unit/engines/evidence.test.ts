import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { writeJournal } from '../../../engines/host/replace/journal';
import { removeTempDirs } from '../../support/temp';
import { allIsInOrder, answers, asked, cluster, evidence, own, problems, read } from './evidence-support';
import { hostContext, pgBackRestIsReal } from './facts';

/*
 * What evidence makes of a server and files that contradict each other or can't be read: each becomes a problem, and nothing
 * is taken for absent.
 */
beforeEach(allIsInOrder);
afterEach(pgBackRestIsReal);
afterAll(removeTempDirs);

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
    asked.runningPostmaster.mockRejectedValueOnce(new Error('EIO'));
    expect(await problems(cluster())).toEqual([]);
    asked.runningPostmaster.mockResolvedValueOnce({ pid: 1 } as never);
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
