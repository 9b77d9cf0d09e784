import fs from 'node:fs';
import path from 'node:path';
import type { AuditEntry } from '../../jobs/audit';
import { backup } from '../../jobs/backup';
import { clone, clones, dropClone } from '../../jobs/clone';
import type { Cluster } from '../../jobs/cluster';
import { openCluster } from '../../jobs/context';
import { restore } from '../../jobs/restore';
import { runDue } from '../../jobs/run-due';
import { snapshotBeforeChange } from '../../jobs/snapshot';
import { isWell, reportOn } from '../../jobs/status';
import { survey } from '../../jobs/survey';
import { verify } from '../../jobs/verify';
import { ownPort, patient, rows } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { removeTempDirs } from '../support/temp';

/*
 * The jobs in the order in which the life of a cluster has them, on a real cluster with a real repository.
 */

let real: TestCluster;
let cluster: Cluster;

beforeAll(async () => {
  real = await createCluster({
    cluster: {
      ...(await ownPort()),
      backups: {
        verification: {
          checks: [{ database: 'postgres', name: 'there are items', sql: 'select count(*) > 0 from items' }],
        },
      },
    },
  });
  cluster = await openCluster({ home: real.home }, real.name);
  await rows(cluster.engine, 'create table items as select generate_series(1, 1000) as id');
});

afterAll(async () => {
  await real.drop();
  removeTempDirs();
});

const count = async (where?: Parameters<typeof rows>[2]) =>
  Number((await rows<{ n: string }>(cluster.engine, 'select count(*)::text as n from items', where))[0]!.n);

const serverTime = async () =>
  (
    await rows<{ at: string }>(
      cluster.engine,
      `select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`,
    )
  )[0]!.at;

test('the first runs of the schedule take the first backup and verify it, which ends the first provision', async () => {
  expect((await reportOn(cluster)).judgement).toMatchObject({
    verdict: 'missing',
    letsThrough: 'first-provision',
  });
  expect(await runDue(cluster, patient())).toMatchObject({ job: 'full', outcome: 'succeeded' });
  expect(await runDue(cluster, patient())).toMatchObject({ job: 'verification', outcome: 'succeeded' });
  expect(await runDue(cluster, patient())).toMatchObject({ job: null, outcome: 'nothing' });
  const report = await reportOn(cluster);
  expect(report).toMatchObject({
    judgement: { verdict: 'fresh' },
    evidence: { phase: 'established' },
    drift: [],
  });
  expect(isWell(report)).toBe(true);
  expect(report.schedules.find(({ job }) => job === 'full')?.next).toMatch(/T01:30:00.000Z$/);
});

test('a survey asks the clusters of this machine in this process, and none that isn’t here', async () => {
  const request = { home: real.home, names: [], signal: patient().signal };
  const declared = (name: string) => ({
    name,
    stack: 'prod',
    environment: 'production' as const,
    place: { type: 'local' as const },
    breakGlass: undefined,
  });
  expect(await survey({ ...request, declared: [declared('shop'), declared('crm')] })).toMatchObject([
    { cluster: 'shop', state: 'reported', report: { judgement: { verdict: 'fresh' } }, well: true },
    { cluster: 'crm', state: 'not-provisioned' },
  ]);
});

test('a verification whose rows fell is failed, holds, and is over with the next one that passes', async () => {
  await rows(cluster.engine, 'create table visits as select generate_series(1, 100) as id');
  await backup(cluster, { kind: 'incremental' }).wait(patient());
  await verify(cluster).wait(patient());
  await rows(cluster.engine, 'delete from visits where id > 70');
  await backup(cluster, { kind: 'incremental' }).wait(patient());
  await expect(verify(cluster).wait(patient())).rejects.toMatchObject({
    code: 'check-failed',
    message: expect.stringContaining(
      'postgres.public.visits has 70 rows; the last verification counted 100',
    ) as string,
  });
  expect((await reportOn(cluster)).judgement.verdict).toBe('stale');
  expect(await clones(cluster)).toEqual([]);
  await rows(cluster.engine, 'insert into visits select generate_series(71, 100)');
  await backup(cluster, { kind: 'incremental' }).wait(patient());
  await verify(cluster).wait(patient());
  expect((await reportOn(cluster)).judgement.verdict).toBe('fresh');
});

test('a snapshot before a change marks a point that a clone goes back to exactly', async () => {
  const change = 'shop/prod@2026-01-15T09:23:00Z';
  const request = { change, dryRun: false, breakGlass: { state: 'none' } } as const;
  const planned = await snapshotBeforeChange(cluster, { ...request, dryRun: true }, patient());
  expect(planned.outcome).toBe('would-do');
  expect(await cluster.engine.restorePoints()).toEqual([]);

  const report = await snapshotBeforeChange(cluster, request, patient());
  expect(report).toMatchObject({ outcome: 'done', restorePoint: planned.restorePoint, backupSet: null });
  await rows(cluster.engine, 'delete from items where id > 10');

  const target = { type: 'restore-point', name: report.restorePoint! } as const;
  const made = await clone(cluster, { target }, patient());
  expect(await count({ database: 'postgres', clone: made })).toBe(1000);
  expect(await count()).toBe(10);
  await dropClone(cluster, made.id, patient().signal);
  expect(await clones(cluster)).toEqual([]);
});

test('a restore puts the cluster back to before the mistake, keeps the old data and backs the result up', async () => {
  await rows(cluster.engine, 'insert into items select generate_series(11, 500)');
  const before = await serverTime();
  await rows(cluster.engine, 'drop table items');
  const result = await restore(cluster, { target: { type: 'time', at: before } }, patient());
  expect(await count()).toBe(500);
  expect(fs.existsSync(result.keptAside)).toBe(true);
  const report = await reportOn(cluster);
  expect(report.judgement.newestUsable).toMatchObject({ id: result.backupSet.id, kind: 'full' });
  expect(report.evidence.archive?.gaps).toEqual([]);
  expect(await clones(cluster)).toEqual([]);
});

test('a restore to the latest moment loses nothing that was committed', async () => {
  await rows(cluster.engine, 'insert into items select generate_series(501, 777)');
  await restore(cluster, { target: { type: 'latest' } }, patient());
  expect(await count()).toBe(777);
});

test('the audit log has a line for each of them, in order, and no secret', () => {
  const text = fs.readFileSync(path.join(real.paths.root, 'audit.jsonl'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as AuditEntry);
  expect(lines.map(({ what, outcome }) => `${what.split(' ')[0]} ${outcome}`)).toEqual([
    'backup succeeded',
    'verify succeeded',
    'backup succeeded',
    'verify succeeded',
    'backup succeeded',
    'verify failed',
    'backup succeeded',
    'verify succeeded',
    'snapshot succeeded',
    'clone succeeded',
    'clone-drop succeeded',
    'restore succeeded',
    'restore succeeded',
  ]);
  expect(new Set(lines.map(({ cluster: name }) => name))).toEqual(new Set(['shop']));
  expect(text).not.toContain(real.outcome.applied.provider.password);
});
