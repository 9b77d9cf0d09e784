import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { DeleteDBSnapshotCommand } from '@aws-sdk/client-rds';
import { openRdsEngine } from '../../engines/rds/engine';
import { clone } from '../../engines/rds/clone/make';
import { listInstances } from '../../engines/rds/instance';
import { readRecord, updateRecord } from '../../engines/rds/record';
import type { AuditEntry } from '../../jobs/audit';
import type { Cluster } from '../../jobs/cluster';
import { runDue } from '../../jobs/run-due';
import { recallVerification } from '../../jobs/verification/progress';
import { verify } from '../../jobs/verify';
import { patient, soon } from '../support/engine';
import { startAws, type TestAws } from '../support/moto/moto';
import { startInstanceServer, type InstanceServer } from '../support/moto/postgres';
import { buildRunDueProgram } from '../support/moto/run-due-program';
import { until } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';
import { specification } from '../unit/jobs/fake-engine';
import { contextOf, createSnapshot, establish, snapshotsOf } from './support';

/*
 * What a Lambda does: calls of run-due, none of which waits, on a real server that stands for the instance and its clones.
 */

let aws: TestAws;
let server: InstanceServer;
beforeAll(async () => {
  [aws, server] = await Promise.all([startAws(), startInstanceServer()]);
  await server.query('create table orders as select generate_series(1, 1000) as id');
  await server.query('create table gate (open boolean)');
});
beforeEach(() => aws.reset());
afterAll(async () => {
  await Promise.all([aws.stop(), server.stop()]);
  removeTempDirs();
});

const count = (action: string) => aws.calls.filter(call => call.action === action).length;
const restores = () => count('RestoreDBInstanceFromDBSnapshot');

/** A cluster whose instance is the server, provisioned and never backed up. */
async function provisioned(backups: object = {}) {
  const context = contextOf({ certificateAuthorities: server.authorities });
  await establish(context, { Port: server.port });
  await updateRecord(context, { phase: 'provisioning', establishedAt: null });
  // RDS takes one of its own, which would be the first to be verified.
  for (const { DBSnapshotIdentifier } of await snapshotsOf(context))
    await context.rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier }));
  aws.calls.length = 0;
  const { cluster: name, environment, settings } = context;
  const options = { cluster: name, environment, settings };
  const cluster: Cluster = {
    name,
    specification: specification(backups),
    engine: openRdsEngine(options),
  };
  const audit = async () => {
    const { events } = await context.logs.send(
      new FilterLogEventsCommand({ logGroupName: '/holdfast/shop/audit' }),
    );
    return events!.map(({ message }) => {
      const { what, outcome } = JSON.parse(message!) as AuditEntry;
      return `${what} ${outcome}`;
    });
  };
  return { context, cluster, options, audit };
}

const run = (cluster: Cluster) => runDue(cluster, patient());

/** Snapshots are still being taken, until the proxy is healed. */
function slowSnapshots(): void {
  aws.rewrite(/^DescribeDBSnapshots$/, answer =>
    answer.replaceAll('<Status>available<', '<Status>creating<'),
  );
}

/** The same of clones. */
function slowClones(): void {
  aws.rewrite(/^DescribeDBInstances$/, answer =>
    answer.replace(/<DBInstance>.*?<\/DBInstance>/gs, instance =>
      instance.includes('-hf-')
        ? instance.replace('<DBInstanceStatus>available<', '<DBInstanceStatus>creating<')
        : instance,
    ),
  );
}

/** The rules of the proxy go, its calls stay counted. */
function heal(): void {
  const calls = aws.calls.splice(0);
  aws.heal();
  aws.calls.push(...calls);
}

test('a backup and its verification are begun, looked at and done over several runs, of which none waits', async () => {
  const { context, cluster, audit } = await provisioned();
  slowSnapshots();
  expect(await run(cluster)).toMatchObject({ job: 'full', outcome: 'running' });
  expect(await run(cluster)).toMatchObject({ job: 'full', outcome: 'running' });
  expect(count('CreateDBSnapshot')).toBe(1);
  heal();
  expect(await run(cluster)).toMatchObject({ job: 'full', outcome: 'succeeded' });
  slowClones();
  expect(await run(cluster)).toMatchObject({ job: 'verification', outcome: 'running' });
  expect(await run(cluster)).toMatchObject({ job: 'verification', outcome: 'running' });
  expect(await recallVerification(cluster.engine.memory)).toMatchObject({ clone: null, done: [] });
  heal();
  expect(await run(cluster)).toMatchObject({ job: 'verification', outcome: 'succeeded' });
  expect(restores()).toBe(1);
  expect((await listInstances(context)).map(({ DBInstanceIdentifier: id }) => id)).toEqual(['shop-db']);
  expect((await cluster.engine.evidence()).backups.at(-1)?.verification).toMatchObject({ result: 'passed' });
  expect(await cluster.engine.lastCounts()).toMatchObject({ 'postgres.public.orders': 1000 });
  expect(await readRecord(context)).toMatchObject({ phase: 'established' });
  expect(await recallVerification(cluster.engine.memory)).toBeNull();
  expect(await audit()).toEqual(['backup full succeeded', 'verify succeeded']);
  expect(await run(cluster)).toMatchObject({ job: null, outcome: 'nothing' });
});

test('a run that is killed while it checks the clone is gone on with by the next, with the same clone', async () => {
  const gate = 'select case when exists (select from gate) then true else pg_sleep(600) is null end';
  const checks = [{ database: 'postgres', name: 'gate', sql: gate }];
  const { cluster, options } = await provisioned({ verification: { checks } });
  expect(await run(cluster)).toMatchObject({ job: 'full', outcome: 'succeeded' });

  const program = path.join(tempDir(), 'run-due.cjs');
  buildRunDueProgram(program);
  const document = JSON.stringify({ specification: cluster.specification, ...options });
  const child = spawn(process.execPath, [program, document], { stdio: 'ignore', env: { ...process.env } });
  const waits = "from pg_stat_activity where query like 'select case%' and state = 'active'";
  await until('it is at the check', async () => (await server.query(`select 1 ${waits}`)).length === 1);
  child.kill('SIGKILL');
  await once(child, 'close');
  await server.query(`select pg_terminate_backend(pid, 5000) ${waits}`);
  await server.query('insert into gate values (true)');

  expect(await run(cluster)).toMatchObject({
    outcome: 'busy',
    reason: expect.stringContaining('lock of shop is held by') as string,
  });
  // The dead one's locks are free after a quarter of an hour.
  aws.skewSeconds = 1000;
  expect(await run(cluster)).toMatchObject({ job: 'verification', outcome: 'succeeded' });
  expect(restores()).toBe(1);
});

test('a clone is checked as far as the time of each run goes', async () => {
  const { cluster } = await provisioned();
  await run(cluster);
  let looks = 0;
  const done: number[] = [];
  while ((await verify(cluster, 0.5).poll()).state === 'running') {
    const underWay = await recallVerification(cluster.engine.memory);
    done.push(underWay!.done.length + Object.keys(underWay!.counts).length);
    if (++looks > 500) throw new Error(`it never ends: ${done.join(', ')}`);
  }
  expect(done).toEqual([...done].sort((one, other) => one - other));
  expect(restores()).toBe(1);
  expect((await cluster.engine.evidence()).backups.at(-1)?.verification).toMatchObject({ result: 'passed' });
});

test('forgotten clones are dropped', async () => {
  const { context, cluster } = await provisioned();
  await createSnapshot(context, 'one');
  const make = (purpose: 'clone' | 'verification', expiresAt: string) =>
    clone(context, { target: { type: 'latest' }, purpose, expiresAt }).wait(patient());
  const kept = await make('clone', soon());
  const forgotten = await make('verification', soon());
  const target = { type: 'backup-set', id: 'one' } as const;
  await clone(context, { target, purpose: 'clone', expiresAt: '2020-01-01T00:00:00Z' }).wait(patient());
  const watch = patient();
  await runDue(cluster, watch);
  expect(watch.steps).toEqual(
    expect.arrayContaining([
      expect.stringMatching(`dropped clone ${forgotten.id} \\(verification`),
      expect.stringMatching(/dropped clone .* \(clone, running, expiry 2020/),
    ]),
  );
  const left = (await listInstances(context)).map(({ DBInstanceIdentifier: id }) => id!);
  expect(left).toEqual(expect.arrayContaining(['shop-db', kept.id]));
  expect(left).not.toContain(forgotten.id);
});

test('a modification that waits for the maintenance window is evident, and gets a snapshot in the hour before', async () => {
  const { context, cluster } = await provisioned();
  const at = new Date(Math.ceil((Date.now() + 600_000) / 60_000) * 60_000);
  const time = (date: Date) =>
    `${['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][date.getUTCDay()]}:${date.toISOString().slice(11, 16)}`;
  const window = `${time(at)}-${time(new Date(at.getTime() + 1_800_000))}`;
  await createSnapshot(context, 'old');
  const verified = {
    result: 'passed',
    at: new Date().toISOString(),
    restoreSeconds: 1,
    replayBytesPerSecond: null,
    reason: null,
  } as const;
  await cluster.engine.recordVerification('old', verified, {});
  const earlier = new Date(Date.now() - 7_200_000).toISOString();
  aws.rewrite(/^DescribeDBSnapshots$/, answer =>
    answer.replace(/<DBSnapshot>.*?<\/DBSnapshot>/gs, snapshot =>
      snapshot.includes('>old<')
        ? snapshot.replaceAll(/(<(?:Original)?SnapshotCreateTime>)[^<]*/g, `$1${earlier}`)
        : snapshot,
    ),
  );
  const pending = '<PendingModifiedValues><AllocatedStorage>200</AllocatedStorage></PendingModifiedValues>';
  aws.rewrite(/^DescribeDBInstances$/, answer =>
    answer
      .replaceAll(/<PreferredMaintenanceWindow>[^<]*/g, `<PreferredMaintenanceWindow>${window}`)
      // moto has none.
      .replaceAll('</DBInstance>', `${pending}</DBInstance>`),
  );
  expect((await cluster.engine.evidence()).pendingChange).toEqual({
    at: at.toISOString(),
    what: 'AllocatedStorage is going to be 200',
  });
  expect(await run(cluster)).toMatchObject({ job: 'incremental', outcome: 'succeeded' });
  expect((await run(cluster)).job).not.toBe('incremental');
});
