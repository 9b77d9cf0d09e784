import fs from 'node:fs';
import path from 'node:path';
import { openRdsEngine } from '../../engines/rds/engine';
import { beginsAs, pendingChanges, recordApplied } from '../../engines/rds/provision';
import { beginRecord, readRecord } from '../../engines/rds/record';
import { checkIntegrity } from '../../engines/rds/clone/integrity';
import { clone } from '../../engines/rds/clone/make';
import { findInstance } from '../../engines/rds/instance';
import { createParameter, listParameters } from '../../engines/rds/parameters';
import { markRestorePoint, restorePoints } from '../../engines/rds/restore-point';
import { withInstance } from '../../engines/rds/session';
import type { Checklist } from '../../engines/engine';
import { Findings } from '../../jobs/checklist';
import { damageOf, patient, rows, soon } from '../support/engine';
import { startAws, type TestAws } from '../support/moto/moto';
import { startInstanceServer, type InstanceServer } from '../support/moto/postgres';
import { freePort } from '../support/ports';
import { removeTempDirs } from '../support/temp';
import { contextOf, createInstance, createSnapshot, establish } from './support';

let aws: TestAws;
let server: InstanceServer;
beforeAll(async () => {
  [aws, server] = await Promise.all([startAws(), startInstanceServer()]);
});
beforeEach(() => aws.reset());
afterAll(async () => {
  await Promise.all([aws.stop(), server.stop()]);
  removeTempDirs();
});

/** A cluster whose instance is the server. */
async function reachable(settings: Readonly<Record<string, unknown>> = {}, port = server.port) {
  const context = contextOf({ certificateAuthorities: server.authorities, ...settings });
  await establish(context, { Port: port });
  const instance = (await findInstance(context, 'shop-db'))!;
  const query = <Row extends object>(sql: string, values?: readonly unknown[]) =>
    withInstance(context, instance, 'postgres', session => session.query<Row>(sql, values));
  return { context, instance, query };
}

describe('a session', () => {
  test('is over TLS, as the master user whose secret RDS manages', async () => {
    const { query } = await reachable();
    const [row] = await query(
      'select ssl, current_user as who, $1::text as said from pg_stat_ssl where pid = pg_backend_pid()',
      ['x'],
    );
    expect(row).toEqual({ ssl: true, who: 'admin', said: 'x' });
  });

  test('trusts no certificate of an authority that it doesn’t know', async () => {
    const { query } = await reachable({ certificateAuthorities: undefined });
    const failure = await query('select 1').then(
      () => new Error('it passed'),
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/does not answer.*certificate/) as string,
    });
  });

  test('needs the authorities’ file to be there', async () => {
    const { query } = await reachable({ certificateAuthorities: '/nowhere/global-bundle.pem' });
    await expect(query('select 1')).rejects.toMatchObject({ code: 'configuration' });
  });

  test('never tells the password, whatever fails', async () => {
    const { query, context, instance } = await reachable();
    aws.rewrite(/^GetSecretValue$/, answer => answer.replace('P@55w0rd!', 'wrong-secret'));
    const refused = await query('select 1').then(
      () => new Error('it passed'),
      (error: unknown) => error as Error,
    );
    expect(String(refused)).toContain('password authentication failed');
    aws.rewrite(/^GetSecretValue$/, answer =>
      answer.replace(/"SecretString": *"(?:[^"\\]|\\.)*"/, '"SecretString":"wrong-secret"'),
    );
    const garbled = await query('select 1').then(
      () => new Error('it passed'),
      (error: unknown) => error as Error,
    );
    expect(String(garbled)).toContain('can’t be understood');
    for (const error of [refused, garbled])
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/wrong-secret|P@55/);
    aws.heal();
    aws.refuse(/^GetSecretValue$/, 'AccessDeniedException');
    await expect(query('select 1')).rejects.toMatchObject({ code: 'configuration' });
    const { MasterUserSecret, ...without } = instance;
    expect(MasterUserSecret).toBeDefined();
    await expect(withInstance(context, without, 'postgres', () => Promise.resolve())).rejects.toThrow(
      'RDS doesn’t manage',
    );
    await expect(withInstance(context, {}, 'postgres', () => Promise.resolve())).rejects.toThrow(
      'has no endpoint',
    );
  });

  test('ends with what it is used for, also when that fails or the server goes away', async () => {
    const { query, context, instance } = await reachable();
    await expect(query('select 1/0')).rejects.toThrow('division by zero');
    const lost = withInstance(context, instance, 'postgres', async session => {
      const [{ pid } = {}] = await session.query<{ pid: number }>('select pg_backend_pid() as pid');
      await server.query(`select pg_terminate_backend(${pid}, 5000)`);
      await session.query('select 1');
    });
    await expect(lost).rejects.toThrow();
    const open = await server.query("select 1 from pg_stat_activity where application_name = 'holdfast'");
    expect(open).toEqual([]);
  });
});

describe('a restore point', () => {
  test('is a full second of the server’s that has passed: what was committed is before it', async () => {
    const { context } = await reachable();
    await server.query('create table if not exists before as select clock_timestamp() as at');
    const point = await markRestorePoint(context, 'change_1');
    expect(point).toMatchObject({ name: 'change_1', archivedAfterSeconds: null });
    expect(point.at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    expect(point.position).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
    const [row] = await server.query<{ before: boolean; after: boolean }>(
      `select at <= '${point.at}' as before, clock_timestamp() >= '${point.at}' as after from before`,
    );
    expect(row).toEqual({ before: true, after: true });
    expect(await restorePoints(context)).toEqual([
      { name: 'change_1', at: point.at, position: point.position, archivedAfterSeconds: null },
    ]);
  });

  test('without a way to the server is by AWS’s clock, and says what covers it until RDS does', async () => {
    const { context } = await reachable({}, await freePort());
    aws.rewrite(/^DescribeDBInstances$/, answer =>
      answer.replaceAll(/<LatestRestorableTime>[^<]*/g, '<LatestRestorableTime>2026-01-01T00:00:00Z'),
    );
    const before = context.clock.now();
    const point = await markRestorePoint(context, 'change_2');
    expect(Date.parse(point.at)).toBeGreaterThan(Date.parse(before));
    expect(Date.parse(context.clock.now())).toBeGreaterThan(Date.parse(point.at));
    expect(point.position).toBe(`time ${point.at}`);
    expect(point.pending).toContain('until then only a snapshot does');
  });

  test('that can’t be reached any more is forgotten', async () => {
    const { context } = await reachable();
    const old = { name: 'old', at: '2020-01-01T00:00:00Z', position: '0/1' };
    await createParameter(context, 'restore-point/1', JSON.stringify(old));
    await createParameter(context, 'restore-point/2', 'nonsense');
    await markRestorePoint(context, 'new');
    expect((await listParameters(context, 'restore-point')).map(({ name }) => name).sort()).toEqual([
      '2',
      expect.stringMatching(/^20\d+-/),
    ]);
    aws.refuse(/^DescribeDBInstanceAutomatedBackups$/, 'DBInstanceAutomatedBackupNotFound', { status: 404 });
    await markRestorePoint(context, 'new too');
  });

  test.each(['', 'ä'.repeat(32)])('has a name of 1 to 63 bytes, not "%s"', async name => {
    await expect(markRestorePoint(contextOf(), name)).rejects.toMatchObject({ code: 'configuration' });
  });
});

describe('the structure of a clone', () => {
  async function cloned() {
    const { context } = await reachable();
    const made = await clone(context, {
      target: { type: 'latest' },
      purpose: 'clone',
      expiresAt: soon(),
    }).wait(patient());
    const instance = (await findInstance(context, made.id))!;
    const open: Parameters<typeof checkIntegrity>[0] = (database, use) =>
      withInstance(context, instance, database, use);
    return { made, open };
  }

  test('is checked in every database, and damage is told by table and index', async () => {
    const { made, open } = await cloned();
    for (const database of ['shop', 'whole']) {
      await server.query(`create database ${database}`);
      await server.query(
        'create table t (i int primary key, x text); insert into t select i, i::text from generate_series(1, 2000) i',
        database,
      );
    }
    const watch = patient();
    const sound = new Findings();
    await checkIntegrity(open, made, sound, watch);
    expect(sound.wrong).toEqual([]);
    expect(watch.steps).toEqual(
      ['postgres', 'shop', 'whole'].map(name => `checking tables and indexes of ${name} in ${made.id}`),
    );
    // An index that lacks rows, and a page whose line pointers lead nowhere.
    await server.query(
      `update pg_index set indisready = false where indexrelid = 't_pkey'::regclass;
       insert into t values (9999, 'not in the index');
       update pg_index set indisready = true where indexrelid = 't_pkey'::regclass;`,
      'shop',
    );
    await server.query(`create table d as select i from generate_series(1, 500) i; checkpoint`, 'whole');
    const [heap] = await server.query<{ file: string }>(`select pg_relation_filepath('d') as file`, 'whole');
    const page = fs.openSync(path.join(server.dataDirectory, heap!.file), 'r+');
    fs.writeSync(page, Buffer.alloc(400, 0x7f), 0, 400, 24);
    fs.closeSync(page);
    await server.restart();
    const damaged = new Findings();
    await checkIntegrity(open, made, damaged, patient());
    const { wrong: found } = damaged;
    expect(found.some(line => line.startsWith('shop.public.t_pkey: heap tuple'))).toBe(true);
    expect(found.some(line => line.startsWith('whole.public.d: block 0:'))).toBe(true);
  });

  test('is checked no further once it is given up', async () => {
    const { made, open } = await cloned();
    const watch = patient();
    const given = { signal: watch.signal, report: () => watch.cancel.abort(new Error('Ctrl-C')) };
    await expect(checkIntegrity(open, made, new Findings(), given)).rejects.toThrow('Ctrl-C');
  });

  test('is gone on with where an earlier run ended', async () => {
    const { made, open } = await cloned();
    const all: string[] = [];
    const list = (done: readonly string[], most = Infinity): Checklist => ({
      has: piece => done.includes(piece),
      tick: piece => {
        all.push(piece);
        if (all.length >= most) throw new Error('killed');
        return Promise.resolve();
      },
    });
    await checkIntegrity(open, made, list([]), patient());
    const whole = all.splice(0);
    await expect(checkIntegrity(open, made, list([], 5), patient())).rejects.toThrow('killed');
    const first = all.splice(0);
    await checkIntegrity(open, made, list(first), patient());
    expect([...first, ...all]).toEqual(whole);
  });

  test('isn’t damaged because the server went away meanwhile', async () => {
    const { made, open } = await cloned();
    const breaking: Checklist = {
      has: () => false,
      tick: async () => {
        await server.query(
          "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'holdfast'",
        );
      },
    };
    await expect(checkIntegrity(open, made, breaking, patient())).rejects.toThrow();
  });
});

describe('the engine', () => {
  test('provisions, backs up, verifies, clones and restores a cluster', async () => {
    const { settings, cluster, environment, ...context } = contextOf({
      certificateAuthorities: server.authorities,
    });
    const whole = { settings, cluster, environment, ...context };
    const engine = openRdsEngine({ settings, cluster, environment, pollSeconds: 0.02 });
    await engine.establish();
    await beginRecord(whole, 'provisioning');
    await createInstance(whole, { Port: server.port });
    await recordApplied(whole, 3);
    expect(await readRecord(whole)).toMatchObject({ phase: 'provisioning', revision: 3 });
    expect(await engine.drift()).toEqual([]);

    const set = await engine.withLock('backup', 'ada', () =>
      engine.backup('incremental', {}).wait(patient()),
    );
    const target = { type: 'backup-set', id: set.id } as const;
    const made = await engine.clone({ target, purpose: 'restore', expiresAt: soon() }).wait(patient());
    expect(await engine.clones()).toEqual([made]);
    expect(await damageOf(engine, made)).toEqual(
      expect.not.arrayContaining([expect.stringContaining('postgres.pg_catalog')]),
    );
    for (const where of [{ database: 'postgres' }, { database: 'postgres', clone: made }])
      expect(await rows(engine, 'select 1 as one', where)).toEqual([{ one: 1 }]);
    const verification = {
      result: 'passed',
      at: new Date().toISOString(),
      restoreSeconds: 60,
      replayBytesPerSecond: null,
      reason: null,
    } as const;
    await engine.recordVerification(set.id, verification, { 'shop.app.orders': 1 });
    expect(await engine.lastCounts()).toEqual({ 'shop.app.orders': 1 });
    await engine.establish();
    await engine.establish();
    expect(await engine.evidence()).toMatchObject({ phase: 'established', problems: [] });

    await engine.markRestorePoint('p');
    expect(await engine.restorePoints()).toMatchObject([{ name: 'p' }]);
    await expect(engine.halt()).rejects.toMatchObject({ code: 'configuration' });
    await engine.resume();
    await engine.replaceWith(made).wait(patient());
    expect(await engine.settle()).toEqual([]);
    await expect(engine.dropClone(made.id)).rejects.toThrow('has no clone');
    await expect(rows(engine, 'select 1', { database: 'postgres', clone: made })).rejects.toThrow('is gone');
    await createSnapshot(whole, 'after');
    expect((await engine.evidence()).backups.map(({ id }) => id)).toEqual(
      expect.arrayContaining([set.id, 'after']),
    );
  });

  test('begins with provision or adoption, as its source says', () => {
    expect(beginsAs(contextOf().settings)).toBe('provisioning');
    expect(beginsAs(contextOf({ source: { mode: 'existing' } }).settings)).toBe('adopting');
  });

  test('looks every 15 seconds unless it is said otherwise', () => {
    const { settings, cluster, environment } = contextOf();
    expect(openRdsEngine({ settings, cluster, environment })).toHaveProperty('evidence');
  });

  test('tells what waits for the maintenance window or a reboot, and no password', () => {
    expect(pendingChanges({})).toEqual([]);
    expect(
      pendingChanges({
        PendingModifiedValues: { DBInstanceClass: 'db.m7g.xlarge', MasterUserPassword: 'hunter2' },
        DBParameterGroups: [
          { DBParameterGroupName: 'pg16', ParameterApplyStatus: 'pending-reboot' },
          { DBParameterGroupName: 'other', ParameterApplyStatus: 'in-sync' },
        ],
      }),
    ).toEqual([
      'DBInstanceClass is going to be "db.m7g.xlarge"',
      'MasterUserPassword is going to change',
      'parameters of pg16 wait for a reboot',
    ]);
  });
});
