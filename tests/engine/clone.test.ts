import fs from 'node:fs/promises';
import path from 'node:path';
import type { Clone, CloneRequest, Engine } from '../../engines/engine';
import { openHostEngine } from '../../engines/host/engine';
import { damageOf, engineOf, ownPort, patient, rows, soon } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { run } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

let cluster: TestCluster;
let engine: Engine;
/** Moments between three inserts. */
let afterFirst: string;
let lonely: string;

const now = async (): Promise<string> => {
  const [row] = await rows<{ now: string }>(
    engine,
    `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`,
  );
  return row!.now;
};
const contents = async (clone?: Clone): Promise<string[]> => {
  const where = { database: 'postgres', ...(clone === undefined ? {} : { clone }) };
  return (await rows<{ what: string }>(engine, 'select what from log order by what', where)).map(
    ({ what }) => what,
  );
};
const request = (target: CloneRequest['target']): CloneRequest => ({
  target,
  purpose: 'clone',
  expiresAt: soon(),
});
const make = (target: CloneRequest['target']) => engine.clone(request(target)).wait(patient());
const archived = async () =>
  (await fs.readdir(path.join(cluster.paths.repository, 'archive/shop/15-1'), { recursive: true })).sort();

beforeAll(async () => {
  const base = tempDir(0o700);
  cluster = await createCluster({ home: path.join(base, 'a home'), cluster: await ownPort() });
  engine = engineOf(cluster);
  await fs.mkdir(path.join(base, 'other disk'));
  await rows(engine, `create tablespace "Other Disk" location '${path.join(base, 'other disk')}'`);
  await rows(engine, 'create table log (what text)');
  await rows(engine, 'create table elsewhere tablespace "Other Disk" as select 42 as answer');
  await engine.backup('full', {}).wait(patient());
  await rows(engine, `insert into log values ('1 first')`);
  afterFirst = await now();
  await rows(engine, `insert into log values ('2 second')`);
  await engine.markRestorePoint('after second');
  await rows(engine, `insert into log values ('3 third')`);
  await engine.markRestorePoint('the end');
  lonely = await now();
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

describe('a clone', () => {
  it('of a time has what was committed until then, and nothing later', async () => {
    const before = await archived();
    const clone = await make({ type: 'time', at: afterFirst });
    expect(await contents(clone)).toEqual(['1 first']);
    expect(clone).toMatchObject({ state: 'running', purpose: 'clone' });
    expect(clone.measured.restoreSeconds).toBeGreaterThan(0);
    expect(await rows(engine, 'select answer from elsewhere', { database: 'postgres', clone })).toEqual([
      { answer: 42 },
    ]);
    // The original goes on, and the repository has got nothing from the clone.
    await rows(engine, 'create table own as select 1 as i', { database: 'postgres', clone });
    await rows(engine, 'select pg_switch_wal()', { database: 'postgres', clone });
    expect(await contents()).toHaveLength(3);
    expect(await archived()).toEqual(before);
    await engine.dropClone(clone.id);
    expect(await engine.clones()).toEqual([]);
    expect(await fs.readdir(cluster.paths.clones)).toEqual([]);
  });

  it('keeps to itself: no TCP, no archiving, a private socket, no secrets', async () => {
    const clone = await make({ type: 'restore-point', name: 'after second' });
    expect(await contents(clone)).toEqual(['1 first', '2 second']);
    const settings = await rows<{ name: string; setting: string }>(
      engine,
      `select name, setting from pg_settings
        where name in ('listen_addresses', 'archive_mode', 'archive_command', 'restore_command') order by name`,
      { database: 'postgres', clone },
    );
    expect(settings.map(({ name, setting }) => [name, setting])).toEqual([
      ['archive_command', '(disabled)'],
      ['archive_mode', 'off'],
      ['listen_addresses', ''],
      ['restore_command', ''],
    ]);
    const socket = clone.connect[1]!;
    expect((await fs.stat(socket)).mode & 0o777).toBe(0o700);
    const overrides = path.join(cluster.paths.clones, clone.id, 'data', 'postgresql.auto.conf');
    expect(await fs.readFile(overrides, 'utf8')).toBe("archive_mode = 'off'\n");
    expect(await fs.readdir(path.join(cluster.paths.clones, clone.id))).not.toContain('pgbackrest.conf');
    expect((await engine.clones()).map(({ id, state }) => [id, state])).toEqual([[clone.id, 'running']]);
    expect(await damageOf(engine, clone)).toEqual([]);
    await engine.dropClone(clone.id);
  });

  it('of the latest moment has what was committed just now', async () => {
    await rows(engine, `insert into log values ('4 just now')`);
    const clone = await make({ type: 'latest' });
    expect(await contents(clone)).toEqual(['1 first', '2 second', '3 third', '4 just now']);
    expect(clone.measured.reached).not.toBeNull();
    await engine.dropClone(clone.id);
  });

  it('of a time after the last commit is the state at that time', async () => {
    await rows(engine, `delete from log where what like '4%'`);
    await engine.markRestorePoint('idle from here');
    const at = await now();
    const clone = await make({ type: 'time', at });
    expect(await contents(clone)).toEqual(['1 first', '2 second', '3 third']);
    await engine.dropClone(clone.id);
    const earlier = await make({ type: 'time', at: lonely });
    expect(await contents(earlier)).toEqual(['1 first', '2 second', '3 third']);
    await engine.dropClone(earlier.id);
  });

  it('of a backup set is that set, as soon as it is consistent', async () => {
    const [set] = (await engine.evidence()).backups;
    const clone = await engine
      .clone({ ...request({ type: 'backup-set', id: set!.id }), purpose: 'verification', backupSet: set!.id })
      .wait(patient());
    expect(await contents(clone)).toEqual([]);
    expect(clone.measured.backupSet).toBe(set!.id);
    await engine.dropClone(clone.id);
  });

  it('finds damage in a table', async () => {
    const clone = await make({ type: 'latest' });
    const where = { database: 'postgres', clone };
    await rows(engine, 'create table victim as select generate_series(1, 10) as i', where);
    // The catalog now says that the rows are older than any row of the table can be.
    await rows(
      engine,
      `update pg_class set relfrozenxid = pg_current_xact_id()::xid where relname = 'victim'`,
      where,
    );
    const found = await damageOf(engine, clone);
    expect(found.length).toBeGreaterThan(0);
    expect(found.join('\n')).toMatch(/postgres\.public\.victim[^]*precedes relation freeze threshold/);
    await engine.dropClone(clone.id);
  });
});

describe('no clone is made', () => {
  it('of an unknown restore point, and the known ones are said', async () => {
    await expect(make({ type: 'restore-point', name: 'nonsense' })).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('after second (20') as string,
    });
  });

  it('of a time before the oldest backup', async () => {
    await expect(make({ type: 'time', at: '2020-01-01T00:00:00Z' })).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringMatching(/^Restorable is from 20/) as string,
    });
  });

  it('that is larger than what is free, and both are said', async () => {
    const bin = tempDir();
    const { stdout } = await run('which', ['pgbackrest']);
    await fs.writeFile(
      path.join(bin, 'pgbackrest'),
      `#!/bin/sh\ncase " $* " in *" info "*) '${stdout.trim()}' "$@" | sed 's/"size":[0-9]*}/"size":9000000000000000}/g';; *) exec '${stdout.trim()}' "$@";; esac\n`,
      { mode: 0o755 },
    );
    const before = process.env.PATH;
    process.env.PATH = `${bin}:${before ?? ''}`;
    try {
      await expect(make({ type: 'restore-point', name: 'after second' })).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/needs \d{7}\.\d GiB, but only \d+\.\d GiB are free/) as string,
      });
    } finally {
      process.env.PATH = before;
    }
    expect(await engine.clones()).toEqual([]);
  });

  it('is dropped while it is being made', async () => {
    let dropping: Promise<unknown> | undefined;
    const clone = await engine.clone(request({ type: 'restore-point', name: 'after second' })).wait({
      ...patient(),
      report: ({ step }) => {
        if (step !== 'recovering' || dropping !== undefined) return;
        dropping = engine
          .clones()
          .then(([unfinished]) => engine.dropClone(unfinished!.id))
          .catch((error: unknown) => error);
      },
    });
    expect(await dropping).toMatchObject({ code: 'busy' });
    expect(await contents(clone)).toEqual(['1 first', '2 second']);
    await engine.dropClone(clone.id);
  });

  it('that was given up: nothing of it is left', async () => {
    const watch = patient();
    const running = engine.clone(request({ type: 'latest' })).wait({
      ...watch,
      report: ({ step }) => {
        if (step === 'recovering' || step === 'restoring files') watch.cancel.abort(new Error('given up'));
      },
    });
    await expect(running).rejects.toThrow();
    expect(await engine.clones()).toEqual([]);
    expect(await fs.readdir(cluster.paths.clones)).toEqual([]);
  });

  it('that was given up while it replays WAL: nothing of it is left', async () => {
    const watch = patient();
    const running = engine.clone(request({ type: 'restore-point', name: 'after second' })).wait({
      ...watch,
      report: ({ step }) => {
        if (step.startsWith('replaying WAL')) watch.cancel.abort(new Error('given up'));
      },
    });
    await expect(running).rejects.toThrow('given up');
    expect(await engine.clones()).toEqual([]);
  });

  it('of a moment before which the WAL ends', async () => {
    const file = path.join(cluster.paths.root, 'restore-points.jsonl');
    const known = await fs.readFile(file, 'utf8');
    const [point] = known.split('\n');
    const beyond = { ...(JSON.parse(point!) as object), name: 'beyond', position: 'F/0' };
    await fs.appendFile(file, `${JSON.stringify({ ...beyond, at: new Date().toISOString() })}\n`);
    try {
      await expect(make({ type: 'restore-point', name: 'beyond' })).rejects.toMatchObject({
        message: 'the WAL in the repository ends before the moment to go back to',
        hint: expect.stringContaining('Name an earlier moment') as string,
      });
    } finally {
      await fs.writeFile(file, known);
    }
    expect(await engine.clones()).toEqual([]);
  });

  it('whose server doesn’t start, and what it said last is said', async () => {
    const { settings, ...rest } = cluster.specification;
    const source = { ...settings.source, settings: { shared_preload_libraries: 'nonsense' } };
    const specification = { ...rest, settings: { ...settings, source } } as typeof cluster.specification;
    const other = openHostEngine({ home: cluster.home, specification });
    await expect(
      other.clone(request({ type: 'restore-point', name: 'the end' })).wait(patient()),
    ).rejects.toThrow('the restored cluster did not recover: could not access file "nonsense"');
    expect(await engine.clones()).toEqual([]);
  });

  it('of what can’t be archived, but of all before it', async () => {
    await rows(engine, `alter system set archive_command = 'false'`);
    await rows(engine, 'select pg_reload_conf()');
    await rows(engine, `insert into log values ('5 not archived')`);
    const watch = patient();
    const clone = await engineOf(cluster, 1)
      .clone(request({ type: 'latest' }))
      .wait(watch);
    await rows(engine, 'alter system reset archive_command');
    await rows(engine, 'select pg_reload_conf()');
    expect(watch.steps.join()).toMatch(/the latest WAL can’t be archived, going on without it: WAL segment/);
    expect(await contents(clone)).toEqual(['1 first', '2 second', '3 third']);
    await engine.dropClone(clone.id);
  });
});
