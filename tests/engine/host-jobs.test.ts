import fs from 'node:fs';
import path from 'node:path';
import type { BackupSet, Evidence } from '../../core/evidence';
import { openCluster } from '../../jobs/context';
import { hostJobs, type HostJobName } from '../../jobs/host';
import { ownPort, patient } from '../support/engine';
import { dropHome, specify } from '../support/host-cluster';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * What Pulumi, the policy pack and the timer ask of a cluster's machine, in the order in which the life of a cluster has it.
 */

const program = { file: '', hash: '' };
jest.mock('../../jobs/program', () => ({ ownProgram: () => program }));

const searched = process.env.PATH;
let directory: string;
let home: string;
let specification: ReturnType<typeof specify>;
const shop = { cluster: 'shop' };

const call = (name: HostJobName, document: unknown): Promise<unknown> =>
  hostJobs[name]({ home }, document, patient());

beforeAll(async () => {
  directory = tempDir();
  home = path.join(directory, 'home');
  specification = specify({ cluster: await ownPort() });
  program.file = path.join(directory, 'holdfast.cjs');
  fs.writeFileSync(program.file, '');
  // The crontab of the test's user stays as it is.
  const table = path.join(directory, 'crontab.txt');
  fs.writeFileSync(
    path.join(directory, 'crontab'),
    `#!/bin/sh\nif [ "$1" = - ]; then cat >'${table}'; else cat '${table}' 2>/dev/null || { echo 'no crontab for me' >&2; exit 1; }; fi\n`,
    { mode: 0o755 },
  );
  process.env.PATH = `${directory}:${searched}`;
});

afterAll(async () => {
  process.env.PATH = searched;
  await dropHome(home);
  removeTempDirs();
});

it('a document that isn’t understood is refused, and what is wrong with it said', async () => {
  await expect(call('apply', { revision: -1 })).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('revision: ') as string,
  });
});

it('a cluster that isn’t there yet is taken as the caller says that it shall be', async () => {
  expect(await call('inspect', { ...shop, specification })).toMatchObject({ provisioned: false });
  expect(await call('evidence', { ...shop, specification })).toMatchObject({ phase: 'none', problems: [] });
  await expect(call('evidence', { cluster: 'crm', specification })).rejects.toMatchObject({
    code: 'configuration',
    message: 'the specification is of shop, not crm',
  });
  await expect(call('evidence', shop)).rejects.toThrow('there is no cluster shop');
});

it('a change before the first provision has nothing to protect, and leaves nothing', async () => {
  const request = { ...shop, specification, change: 'prod@1' };
  expect(await call('snapshot', request)).toMatchObject({ outcome: 'nothing-to-protect' });
  expect(fs.existsSync(path.join(home, 'clusters'))).toBe(false);
});

it('apply makes it, installs the program, and is audited', async () => {
  expect(await call('apply', { specification, revision: 1 })).toMatchObject({
    endpoint: { host: '127.0.0.1' },
  });
  expect(fs.existsSync(path.join(home, 'program', 'holdfast.cjs'))).toBe(true);
  expect(fs.readFileSync(path.join(home, 'clusters', 'shop', 'audit.jsonl'), 'utf8')).toContain(
    '"what":"apply"',
  );
  expect(await call('inspect', { ...shop, specification })).toMatchObject({ provisioned: true, drift: [] });
});

it('what was applied counts from then on', async () => {
  const other = { ...specification, environment: 'staging' };
  expect(await call('evidence', { ...shop, specification: other })).toMatchObject({
    environment: 'production',
    phase: 'provisioning',
  });
  expect(await call('report', shop)).toMatchObject({ judgement: { letsThrough: 'first-provision' } });
});

it('a decision of the gate is on its audit log', async () => {
  const decision = { operation: 'preview', stack: 'test/prod', decision: 'allowed', reasons: [] };
  expect(await call('gate', { ...shop, ...decision })).toEqual({ recorded: true });
});

it('what only a superuser can is seen to in its databases', async () => {
  expect(await call('databases', shop)).toEqual({ cluster: 'shop', changed: [] });
});

it('the timer is written and removed', async () => {
  expect(await call('schedule', shop)).toMatchObject({ cluster: 'shop', kind: 'crontab' });
  expect(fs.readFileSync(path.join(directory, 'crontab.txt'), 'utf8')).toContain('run-due');
  await call('unschedule', shop);
  expect(fs.readFileSync(path.join(directory, 'crontab.txt'), 'utf8')).not.toContain('run-due');
});

it('its server is stopped and started', async () => {
  expect(await call('stop', shop)).toEqual({ cluster: 'shop', stopped: true });
  expect(((await call('evidence', shop)) as Evidence).server.state).toBe('stopped');
  expect(await call('start', shop)).toEqual({ cluster: 'shop', started: true });
});

it('production is neither removed nor unsealed while it has data, and erased only against its final backup', async () => {
  await expect(call('remove', shop)).rejects.toMatchObject({ code: 'refused' });
  await expect(call('seal', shop)).rejects.toMatchObject({ code: 'refused' });
  const { engine } = await openCluster({ home }, 'shop');
  const final: BackupSet = await engine.backup('full', {}).wait(patient());
  const request = { specification, backupSet: final.id, what: 'all' };
  const log = path.join(home, 'clusters/shop/audit.jsonl');
  const erasures = () =>
    fs
      .readFileSync(log, 'utf8')
      .split('\n')
      .flatMap(line => (line.includes('"what":"erase"') ? [JSON.parse(line) as object] : []));
  await expect(call('erase', { ...request, what: 'data' })).rejects.toThrow('it was not verified');
  expect(erasures()).toMatchObject([{ outcome: 'refused' }]);
  await engine.recordVerification(
    final.id,
    {
      result: 'passed',
      at: new Date().toISOString(),
      restoreSeconds: 1,
      replayBytesPerSecond: null,
      reason: null,
    },
    {},
  );
  expect(await call('erase', { ...request, what: 'data' })).toEqual(shop);
  expect(erasures().at(-1)).toMatchObject({ outcome: 'succeeded', detail: `backup set ${final.id} is kept` });
  expect(await call('erase', request)).toEqual(shop);
  // Interrupted, the same call goes on.
  expect(await call('erase', request)).toEqual(shop);
  expect(await call('seal', shop)).toEqual({ cluster: 'shop', sealed: false });
  expect(fs.existsSync(path.join(home, 'clusters', 'shop'))).toBe(false);
});

it('a cluster that never held data may be destroyed, which is on its audit log', async () => {
  const directory = path.join(home, 'clusters', 'shop');
  fs.mkdirSync(directory);
  fs.writeFileSync(path.join(directory, 'specification.json'), JSON.stringify(specification));
  expect(await call('seal', shop)).toEqual({ cluster: 'shop', sealed: false });
  expect(fs.readFileSync(path.join(directory, 'audit.jsonl'), 'utf8')).toContain('it holds no data any more');
});

it('what is removed of staging may be gone already', async () => {
  const staging = specify({ environment: 'staging', name: 'try' });
  expect(await call('remove', { cluster: 'try', specification: staging })).toEqual({
    cluster: 'try',
    removed: true,
  });
});
