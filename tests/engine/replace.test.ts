import { Client } from 'pg';
import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import type { Clone, CloneRequest, Engine } from '../../engines/engine';
import type { Journal } from '../../engines/host/replace/journal';
import { findInstallation } from '../../engines/host/postgres/installation';
import { updateRecord } from '../../engines/host/record';
import { runningPostmaster } from '../../engines/host/postgres/data-directory';
import { stopServer } from '../../engines/host/postgres/server';
import { engineOf, ownPort, patient, rows, soon } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { until } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

let cluster: TestCluster;
let engine: Engine;
let configuration: readonly string[];

const root = path.resolve(__dirname, '../..');
const contents = async (): Promise<string[]> =>
  (await rows<{ what: string }>(engine, 'select what from log order by what')).map(({ what }) => what);
const make = (target: CloneRequest['target']): Promise<Clone> =>
  engine.clone({ target, purpose: 'restore', expiresAt: soon() }).wait(patient());
const files = () =>
  Promise.all(
    ['postgresql.conf', 'pg_hba.conf', 'postgresql.auto.conf'].map(name =>
      fs.readFile(path.join(cluster.paths.dataDirectory, name), 'utf8'),
    ),
  );
const timeline = async (): Promise<number> => {
  const [row] = await rows<{ id: number }>(engine, 'select timeline_id as id from pg_control_checkpoint()');
  return row!.id;
};

beforeAll(async () => {
  const base = tempDir(0o700);
  cluster = await createCluster({ home: path.join(base, 'a home'), cluster: await ownPort() });
  engine = engineOf(cluster);
  await fs.mkdir(path.join(base, 'other disk'));
  await rows(engine, `create tablespace other location '${path.join(base, 'other disk')}'`);
  await rows(engine, 'create table log (what text)');
  await rows(engine, 'create table elsewhere tablespace other as select 42 as answer');
  await rows(engine, `insert into log values ('1 good')`);
  await engine.backup('full', {}).wait(patient());
  await engine.markRestorePoint('good');
  await rows(engine, `insert into log values ('2 bad')`);
  await engine.markRestorePoint('bad');
  configuration = await files();
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

/** Runs the swap in a process that is killed, without warning, as soon as the journal says `state`. */
async function killedAt(clone: Clone, state: Journal['state']): Promise<void> {
  const script = `
    const { contextOf } = require(${JSON.stringify(path.join(root, 'engines/host/engine.ts'))});
    const { readRecord } = require(${JSON.stringify(path.join(root, 'engines/host/record.ts'))});
    const { pathsOf } = require(${JSON.stringify(path.join(root, 'engines/host/layout.ts'))});
    const { replaceWith } = require(${JSON.stringify(path.join(root, 'engines/host/replace/swap.ts'))});
    const { home, specification, clone, state } = JSON.parse(process.argv[1]);
    readRecord(pathsOf(home, specification)).then(record =>
      replaceWith(
        contextOf({ home, specification, archiveDeadlineSeconds: 20 }, record),
        clone,
        { report: () => undefined, signal: new AbortController().signal },
        reached => reached === state && process.kill(process.pid, 'SIGKILL'),
      ),
    );`;
  const child = spawn(
    process.execPath,
    [
      '--require',
      require.resolve('tsx/cjs'),
      '--eval',
      script,
      JSON.stringify({ home: cluster.home, specification: cluster.specification, clone, state }),
    ],
    { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  const signal = await new Promise(resolve => child.once('close', (_code, by) => resolve(by)));
  expect([signal, said]).toEqual(['SIGKILL', '']);
  const journal = JSON.parse(
    await fs.readFile(path.join(cluster.paths.root, 'swap.json'), 'utf8'),
  ) as Journal;
  expect(journal.state).toBe(state);
}

describe('a swap that is killed', () => {
  let clone: Clone;

  it.each(['stopping', 'moving'] as const)('while %s is undone: the original runs again', async state => {
    clone = await make({ type: 'restore-point', name: 'good' });
    await killedAt(clone, state);
    expect(await engine.restoring()).toBe(true);
    expect((await engine.evidence()).problems.map(({ what }) => what).join()).toContain(
      'a restore is under way',
    );
    expect(await engine.settle()).toEqual([
      'an interrupted restore of shop was undone: the original is in its place',
    ]);
    expect(await contents()).toEqual(['1 good', '2 bad']);
    expect((await engine.evidence()).problems).toEqual([]);
    expect(await engine.restoring()).toBe(false);
    expect(await engine.settle()).toEqual([]);
    await engine.dropClone(clone.id);
  });

  it('after the original was moved aside is undone', async () => {
    clone = await make({ type: 'restore-point', name: 'good' });
    await killedAt(clone, 'moving');
    const journal = JSON.parse(
      await fs.readFile(path.join(cluster.paths.root, 'swap.json'), 'utf8'),
    ) as Journal;
    await fs.mkdir(journal.swap!.aside);
    await fs.rename(cluster.paths.dataDirectory, path.join(journal.swap!.aside, 'data'));
    await engine.settle();
    expect(await contents()).toEqual(['1 good', '2 bad']);
    expect(await fs.readdir(cluster.paths.aside)).toEqual([]);
    await engine.dropClone(clone.id);
  });

  it('is undone although its clone has gone meanwhile: the original never takes the place of a clone', async () => {
    clone = await make({ type: 'restore-point', name: 'good' });
    await killedAt(clone, 'stopping');
    await expect(engine.dropClone(clone.id)).rejects.toMatchObject({ code: 'busy' });
    await stopServer(
      await findInstallation(15),
      { ...cluster.paths, dataDirectory: path.join(cluster.paths.clones, clone.id, 'data') },
      'immediate',
    );
    await fs.rm(path.join(cluster.paths.clones, clone.id, 'data'), { recursive: true });
    await engine.settle();
    expect(await contents()).toEqual(['1 good', '2 bad']);
    await engine.dropClone(clone.id);
    expect(await contents()).toEqual(['1 good', '2 bad']);
  });

  it('once the restored cluster was in place is undone although the rest of its clone has gone', async () => {
    clone = await make({ type: 'restore-point', name: 'good' });
    await killedAt(clone, 'starting');
    await fs.rm(path.join(cluster.paths.clones, clone.id), { recursive: true });
    await fs.writeFile(path.join(cluster.paths.dataDirectory, 'PG_VERSION'), '9\n');
    await engine.settle();
    expect(await contents()).toEqual(['1 good', '2 bad']);
    await engine.dropClone(clone.id);
  });

  it('while starting is undone when the restored cluster doesn’t start', async () => {
    clone = await make({ type: 'restore-point', name: 'good' });
    await killedAt(clone, 'starting');
    const version = path.join(cluster.paths.dataDirectory, 'PG_VERSION');
    await fs.writeFile(version, '9\n');
    const [said] = await engine.settle();
    expect(said).toContain('was undone, because the restored cluster did not start');
    expect(await contents()).toEqual(['1 good', '2 bad']);
    expect(await rows(engine, 'select answer from elsewhere')).toEqual([{ answer: 42 }]);
    await engine.dropClone(clone.id);
  });

  it.each([
    ['starting', 2],
    ['finishing', 3],
  ] as const)('while %s is finished', async (state, newTimeline) => {
    clone = await make({ type: 'restore-point', name: 'bad' });
    await killedAt(clone, state);
    const [said] = await engine.settle();
    expect(said).toMatch(/^an interrupted restore of shop was finished; the old data is in .*aside/);
    expect(await contents()).toEqual(['1 good', '2 bad']);
    expect(await timeline()).toBe(newTimeline);
    expect(await engine.clones()).toEqual([]);
    await rows(engine, 'checkpoint');
  });
});

describe('a restore', () => {
  it('to a restore point of an earlier timeline puts the cluster back to it, configured as it was', async () => {
    const clone = await make({ type: 'restore-point', name: 'good' });
    const { keptAside } = await engine.replaceWith(clone).wait(patient());
    expect(await contents()).toEqual(['1 good']);
    expect(await files()).toEqual(configuration);
    expect(await rows(engine, 'select answer from elsewhere')).toEqual([{ answer: 42 }]);
    expect(await fs.readdir(path.join(keptAside, 'data'))).toContain('PG_VERSION');
    expect(await engine.clones()).toEqual([]);
    expect(await engine.drift()).toEqual([]);
    const evidence = await engine.evidence();
    expect(evidence.problems).toEqual([]);
    expect(evidence.archive?.failing).toBeNull();
    const archive = await fs.readdir(path.join(cluster.paths.repository, 'archive', 'shop', '15-1'));
    expect(archive).toContain('00000004.history');
    await engine.backup('full', {}).wait(patient());
    expect((await engine.evidence()).archive?.gaps).toEqual([]);
  });

  it('to the latest moment loses nothing: the cluster is stopped once its last WAL is archived', async () => {
    await rows(engine, `insert into log values ('3 at the last moment')`);
    await engine.halt();
    expect(await runningPostmaster(cluster.paths.dataDirectory)).toBeNull();
    const clone = await make({ type: 'latest' });
    await engine.replaceWith(clone).wait(patient());
    expect(await contents()).toEqual(['1 good', '3 at the last moment']);
    await engine.backup('full', {}).wait(patient());
  });

  it('that was given up after the halt leaves the cluster running', async () => {
    await engine.halt();
    await engine.resume();
    expect(await contents()).toEqual(['1 good', '3 at the last moment']);
    await engine.resume();
    await engine.halt();
    expect(await engine.settle()).toEqual([
      'shop was stopped for a restore that was interrupted: it is as before',
    ]);
    expect(await contents()).toEqual(['1 good', '3 at the last moment']);
  });

  it('that is given up while the cluster still stops leaves it running: it is waited for, and started', async () => {
    const session = new Client({
      host: cluster.paths.socketDirectory,
      port: cluster.outcome.applied.endpoint.port,
      database: 'postgres',
    });
    session.on('error', () => undefined);
    await session.connect();
    const before = (await runningPostmaster(cluster.paths.dataDirectory))!.pid;
    // A smart shutdown waits for the session.
    process.kill(before, 'SIGTERM');
    await until(
      'it is stopping',
      async () => (await runningPostmaster(cluster.paths.dataDirectory))?.status === 'stopping',
    );
    await fs.writeFile(
      path.join(cluster.paths.root, 'swap.json'),
      JSON.stringify({ schema: 1, state: 'halted', at: soon(), pid: 1, wasRunning: true, swap: null }),
    );
    await engine.resume();
    await session.end().catch(() => undefined);
    const after = await runningPostmaster(cluster.paths.dataDirectory);
    expect([after?.status, after?.pid === before]).toEqual(['ready', false]);
  });

  it('brings back a cluster whose data directory is lost', async () => {
    await engine.markRestorePoint('before the disk died');
    await stopServer(await findInstallation(15), cluster.paths, 'immediate');
    await fs.rm(cluster.paths.dataDirectory, { recursive: true });
    const clone = await make({ type: 'restore-point', name: 'before the disk died' });
    await updateRecord(cluster.paths, { systemIdentifier: '7' });
    await expect(engine.replaceWith(clone).wait(patient())).rejects.toMatchObject({ code: 'refused' });
    await updateRecord(cluster.paths, { systemIdentifier: cluster.outcome.applied.systemIdentifier });
    await engine.replaceWith(clone).wait(patient());
    expect(await contents()).toEqual(['1 good', '3 at the last moment']);
    expect(await files()).toEqual(configuration);
  });

  it('with an incomplete clone is refused', async () => {
    const watch = patient();
    const id = 'c-20200101-000000-dead';
    await fs.mkdir(path.join(cluster.paths.clones, id));
    const [incomplete] = await engine.clones();
    expect(incomplete).toMatchObject({ id, state: 'incomplete', measured: null });
    await expect(engine.replaceWith(incomplete!).wait(watch)).rejects.toMatchObject({ code: 'refused' });
    await engine.dropClone(id);
  });
});

describe('a clone whose making is killed', () => {
  it('is shown as incomplete, and can be dropped', async () => {
    const script = `
      const { openHostEngine } = require(${JSON.stringify(path.join(root, 'engines/host/engine.ts'))});
      const { home, specification } = JSON.parse(process.argv[1]);
      openHostEngine({ home, specification })
        .clone({ target: { type: 'restore-point', name: 'good' }, purpose: 'clone', expiresAt: new Date().toISOString() })
        .wait({ signal: new AbortController().signal, report: ({ step }) => step === 'recovering' && process.kill(process.pid, 'SIGKILL') });`;
    const child = spawn(
      process.execPath,
      [
        '--require',
        require.resolve('tsx/cjs'),
        '--eval',
        script,
        JSON.stringify({ home: cluster.home, specification: cluster.specification }),
      ],
      { cwd: root, stdio: 'ignore' },
    );
    expect(await new Promise(resolve => child.once('close', (_code, by) => resolve(by)))).toBe('SIGKILL');
    const [clone] = await engine.clones();
    expect(clone).toMatchObject({ state: 'incomplete', measured: null });
    await until('its lock is free', () =>
      engine.dropClone(clone!.id).then(
        () => true,
        () => false,
      ),
    );
    expect(await fs.readdir(cluster.paths.clones)).toEqual([]);
  });
});
