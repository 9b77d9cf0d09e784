import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Engine } from '../../engines/engine';
import { findInstallation } from '../../engines/host/postgres/installation';
import { stopServer } from '../../engines/host/postgres/server';
import { engineOf, rows } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { run, succeed, until, type Ran } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * The bundled program as people and timers run it: a process of its own, that is interrupted, killed, and started twice.
 */

const { bundle } = createRequire(__filename)('../../scripts/bundle.cjs') as {
  bundle: (kind: 'machine', folder: string) => { file: string };
};

let cluster: TestCluster;
let engine: Engine;
/** Bundled here, as dist/ may be another user's. */
let program: string;

beforeAll(async () => {
  program = bundle('machine', tempDir()).file;
  cluster = await createCluster();
  engine = engineOf(cluster);
  await rows(engine, 'create table items as select generate_series(1, 200000) as id');
  await holdfast('backup', 'shop').then(succeeded);
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

const command = (...args: string[]): string[] => [program, '--home', cluster.home, ...args];
/** Away from any project, so that no stack files are found. */
const options = () => ({ cwd: cluster.home });

function holdfast(...args: string[]): Promise<Ran> {
  return run(process.execPath, command(...args), options());
}

function succeeded(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`it ended with ${ran.code}:\n${ran.stderr}`);
  return ran;
}

/** Starts a command, and does something to it as soon as it says something that matches. */
async function during(when: RegExp, act: (child: ChildProcess) => void, ...args: string[]): Promise<Ran> {
  const child: ChildProcess = spawn(process.execPath, command(...args), options());
  let stderr = '';
  let acted = false;
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    if (acted || !when.test(stderr)) return;
    acted = true;
    act(child);
  });
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  return { code, stdout: '', stderr };
}

const interrupt = (signal: NodeJS.Signals, when: RegExp, ...args: string[]): Promise<Ran> =>
  during(when, child => child.kill(signal), ...args);

async function evidenceIsSound(): Promise<void> {
  const evidence = await engine.evidence();
  expect(evidence.problems).toEqual([]);
  expect(evidence.archive).toMatchObject({ failing: null, gaps: [] });
}

test('a result is one JSON document on standard output, and progress is on standard error', async () => {
  const ran = succeeded(await holdfast('backup', 'shop', '--json', '--change', 'shop/prod@1'));
  expect(JSON.parse(ran.stdout)).toMatchObject({
    kind: 'incremental',
    changeId: 'shop/prod@1',
    unusable: null,
  });
  expect(ran.stderr).not.toBe('');
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)('%s during a backup ends it with %d, and the next one is whole', async (signal, exitCode) => {
  const ran = await interrupt(signal, /./, 'backup', 'shop', '--kind', 'full');
  expect(ran.stderr).toContain(`interrupted by ${signal}`);
  expect(ran.code).toBe(exitCode);
  const before = (await engine.evidence()).backups.length;
  succeeded(await holdfast('backup', 'shop', '--kind', 'full'));
  expect((await engine.evidence()).backups.length).toBeGreaterThanOrEqual(before);
  await evidenceIsSound();
});

/** The process of pgBackRest that takes the backup; its group has the same number. */
function backupProcess(): number {
  const lock = fs.readFileSync(path.join(cluster.paths.lock, 'shop-backup.lock'), 'utf8');
  return (JSON.parse(lock) as { pid: number }).pid;
}

test.each<[string, (child: ChildProcess, pgbackrest: number) => void]>([
  [
    'its job',
    (child, pgbackrest) => {
      // What it does alone can take long: a large file, a disk that hangs.
      process.kill(-pgbackrest, 'SIGSTOP');
      child.kill('SIGKILL');
    },
  ],
  ['its pgbackrest', (_, pgbackrest) => process.kill(pgbackrest, 'SIGKILL')],
])(
  'a backup that dies with %s counts for nothing; the next one is whole, and ends the rest',
  async (_, kill) => {
    const before = (await engine.evidence()).backups;
    let pgbackrest = NaN;
    const attack = (child: ChildProcess): void => {
      pgbackrest = backupProcess();
      kill(child, pgbackrest);
    };
    const ran = await during(/copying/, attack, 'backup', 'shop', '--kind', 'full');
    expect(ran.code).not.toBe(0);
    const after = await engine.evidence();
    expect(after.problems).toEqual([]);
    expect(after.backups).toEqual(before);

    const set = JSON.parse(
      succeeded(await holdfast('backup', 'shop', '--kind', 'full', '--json')).stdout,
    ) as object;
    expect((await engine.evidence()).backups.at(-1)).toEqual(set);
    expect(() => process.kill(-pgbackrest, 0)).toThrow('ESRCH');
    await engine.withLock('restore', 'a test', () => Promise.resolve());
    succeeded(await holdfast('verify', 'shop'));
    await evidenceIsSound();
  },
);

test('a backup while another job holds the cluster is busy, says who, and exits 6', async () => {
  const ran = await engine.withLock('backup', 'the night shift', () => holdfast('backup', 'shop', '--json'));
  expect(ran.code).toBe(6);
  expect(JSON.parse(ran.stderr.trim().split('\n').at(-1)!)).toMatchObject({
    error: { code: 'busy', message: expect.stringContaining('the night shift') as string },
  });
});

test('of two backups at once one is taken', async () => {
  const both = await Promise.all([holdfast('backup', 'shop'), holdfast('backup', 'shop')]);
  expect(both.map(({ code }) => code).sort()).toEqual([0, 6]);
});

test('clones and verifications neither wait for a held lock nor hold anything up', async () => {
  const clone = await engine.withLock('restore', 'somebody', () => holdfast('clone', 'shop', '--json'));
  const { id, connect } = JSON.parse(succeeded(clone).stdout) as { id: string; connect: string[] };
  const counted = await succeed('psql', [...connect, '-Atc', 'select count(*) from items']);
  expect(counted.trim()).toBe('200000');
  expect(succeeded(await holdfast('clones', 'shop')).stdout).toContain(id);
  succeeded(await holdfast('clone-drop', 'shop', id));
  expect(succeeded(await holdfast('clones', 'shop')).stdout).toBe('shop has no clones\n');
});

test.each([/restoring/, /checking/])(
  'a verification that is killed (at %s) is cleaned up by the next run of the schedule',
  async when => {
    const ran = await interrupt('SIGKILL', when, 'verify', 'shop');
    expect(ran.code).toBeNull();
    await until('its clone is there', async () => (await engine.clones()).length === 1);
    succeeded(await holdfast('run-due', 'shop'));
    expect(await engine.clones()).toEqual([]);
    expect(fs.readdirSync(path.join(cluster.paths.root, 'clones'))).toEqual([]);
    await evidenceIsSound();
  },
);

test('SIGINT during a clone leaves none', async () => {
  const ran = await interrupt('SIGINT', /restoring/, 'clone', 'shop');
  expect(ran.code).toBe(130);
  expect(await engine.clones()).toEqual([]);
});

test('status exits 0 when all is well, and prints the same as a document', async () => {
  succeeded(await holdfast('verify', 'shop'));
  const table = succeeded(await holdfast('status'));
  expect(table.stdout).toMatch(/^shop +production +fresh/m);
  expect(table.stdout).toContain((await engine.evidence()).identity.found);
  const { clusters } = JSON.parse(succeeded(await holdfast('status', 'shop', '--json')).stdout) as {
    clusters: { cluster: string; well: boolean; report: { judgement: { verdict: string } } }[];
  };
  expect(clusters).toMatchObject([
    { cluster: 'shop', well: true, report: { judgement: { verdict: 'fresh' } } },
  ]);
  expect((await holdfast('status', 'nowhere')).code).toBe(2);
});

test('a restore says what is lost, and needs --replace and, without a terminal, --yes', async () => {
  const dry = await holdfast('restore', 'shop', '--latest');
  expect(dry.code).toBe(2);
  expect(dry.stderr).toMatch(/Restoring shop \(production\) to the latest moment loses:/);
  expect(dry.stderr).toContain('--replace');
  const unconfirmed = await holdfast('restore', 'shop', '--latest', '--replace');
  expect(unconfirmed.code).toBe(2);
  expect(unconfirmed.stderr).toContain('--yes');
  expect((await holdfast('restore', 'shop', '--at', '2026-01-01 00:00:00', '--replace', '--yes')).code).toBe(
    2,
  );
});

test.each([/restoring/, /putting|stopping the original/])(
  'a restore that is killed (at %s) is finished or undone by the next run of the schedule, and nothing is lost',
  async when => {
    await rows(engine, 'insert into items values (0)');
    const ran = await interrupt('SIGKILL', when, 'restore', 'shop', '--latest', '--replace', '--yes');
    expect(ran.code).toBeNull();
    const next = await holdfast('run-due', 'shop');
    expect(next.stderr).toMatch(/restore/);
    const [row] = await rows<{ n: string }>(engine, 'select count(*)::text as n from items where id = 0');
    expect(Number(row!.n)).toBeGreaterThan(0);
    succeeded(await holdfast('backup', 'shop', '--kind', 'full'));
    await evidenceIsSound();
  },
);

test('a document on standard input is answered with one', async () => {
  const ask = (name: string, document: object) =>
    run(process.execPath, command('host', name), { ...options(), input: JSON.stringify(document) });
  const evidence = succeeded(await ask('evidence', { cluster: 'shop' }));
  expect(JSON.parse(evidence.stdout)).toMatchObject({ schema: 1, cluster: 'shop', phase: 'established' });
  const inspected = succeeded(
    await ask('inspect', { cluster: 'shop', specification: cluster.specification }),
  );
  expect(JSON.parse(inspected.stdout)).toMatchObject({ provisioned: true, drift: [] });
  const snapshot = succeeded(
    await ask('snapshot', {
      cluster: 'shop',
      change: 'shop/prod@2',
      dryRun: false,
      breakGlass: { state: 'none' },
    }),
  );
  expect(JSON.parse(snapshot.stdout)).toMatchObject({ outcome: 'done', warnings: [] });
  const other = succeeded(
    await ask('evidence', {
      cluster: 'other',
      specification: { ...cluster.specification, cluster: 'other' },
    }),
  );
  expect(JSON.parse(other.stdout)).toMatchObject({ cluster: 'other', phase: 'none', backups: [] });
});

// The last one: it leaves the cluster stopped.
test('a stopped cluster is reported by status and by the schedule, and not started', async () => {
  const { dataDirectory, log } = cluster.paths;
  await stopServer(await findInstallation(15), { dataDirectory, log, cluster: 'shop' }, 'fast');
  expect((await holdfast('status')).code).toBe(4);
  const due = succeeded(await holdfast('run-due', 'shop', '--json'));
  expect(JSON.parse(due.stdout)).toMatchObject({
    job: null,
    outcome: 'nothing',
    alerts: ['not-fresh:restorable'],
  });
  expect((await engine.evidence()).server.state).toBe('stopped');
});
