import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { readDeployment, readLocks } from '../../jobs/pulumi/backend';
import { run, succeed, until } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';
import { cronDaemons, Embedded } from './start-support';

/*
 * `npm start` and what one does after it, from nothing to nothing: one home, in the order of a life. What isn't proven here: that
 * packages are installed, because the tests need them too.
 */
jest.setTimeout(400_000);

const embedded = new Embedded();
const cronBefore = cronDaemons();
const stackFiles = ['staging', 'prod'].map(stack => path.join(repositoryRoot, `Pulumi.${stack}.yaml`));
const readStackFiles = () => stackFiles.map(file => fs.readFileSync(file, 'utf8'));
const stackFilesBefore = readStackFiles();
const placeOf = (stack: string) => ({
  stateDirectory: path.join(embedded.home, 'pulumi'),
  project: 'holdfast',
  stack,
});

/** The newest line of production’s audit log. */
function lastAudited(file = path.join(embedded.home, 'clusters/prod/audit.jsonl')): unknown {
  const log = fs.readFileSync(file, 'utf8');
  return JSON.parse(log.trim().split('\n').at(-1)!);
}

afterAll(async () => {
  // What is left of a home that a test failed in.
  await embedded.holdfast('down');
  for (const pid of cronDaemons().filter(each => !cronBefore.includes(each))) process.kill(pid);
  removeTempDirs();
});

test('killed in the middle of an update, with all that it started, npm start completes when run again', async () => {
  const first = embedded.begin();
  const ended = new Promise(resolve => first.once('close', resolve));
  // The cluster is there, and the first of its roles and databases are being made.
  await until(
    'the update is in the midst of it',
    () =>
      (readDeployment(placeOf('staging'))?.resources ?? []).some(({ type }) =>
        type.startsWith('postgresql:'),
      ),
    { seconds: 120 },
  );
  const [lock] = readLocks(placeOf('staging'));
  process.kill(-first.pid!, 'SIGKILL');
  process.kill(-lock!.pid, 'SIGKILL');
  await ended;

  const second = await embedded.start('--json');
  expect(second.stderr).toContain('an earlier update was killed');
  expect(second).toMatchObject({ code: 0 });
  expect(JSON.parse(second.stdout)).toMatchObject({ home: embedded.home, updated: ['staging', 'prod'] });
});

test('both clusters run, are backed up, verified and gated, and the checkout is as it was', async () => {
  const clusters = await embedded.survey();
  expect(clusters.map(({ cluster }) => cluster).sort()).toEqual(['prod', 'staging']);
  for (const { report, well } of clusters) {
    expect(well).toBe(true);
    expect(report?.judgement.verdict).toBe('fresh');
    expect(report?.evidence.phase).toBe('established');
  }
  expect(readStackFiles()).toEqual(stackFilesBefore);
  expect(fs.statSync(path.join(embedded.home, 'pulumi')).mode & 0o777).toBe(0o700);
});

test('a second run finds nothing to change, says so, and says what to try next', async () => {
  const { code, stdout } = await embedded.start();
  expect(code).toBe(0);
  expect(stdout).toContain('Nothing to change.');
  expect(stdout).toContain('npx holdfast clone prod --latest');
});

test('a cluster that is down is started', async () => {
  const pidFile = path.join(embedded.home, 'clusters/prod/data/postmaster.pid');
  process.kill(Number(fs.readFileSync(pidFile, 'utf8').split('\n')[0]), 'SIGINT');
  await until('the server is down', () => !fs.existsSync(pidFile));
  const { code, stdout, stderr } = await embedded.start();
  expect(stderr).toContain('prod: starting the cluster');
  expect({ code, stdout }).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Nothing to change.') as string,
  });
  expect(await embedded.query('prod', 'postgres', 'select 1')).toBe('1');
});

test('plain Pulumi works in the environment that holdfast env prints, through the gate', async () => {
  const allowed = await embedded.shell('npx pulumi preview --stack prod --non-interactive');
  expect(allowed).toMatchObject({ code: 0 });
  expect(lastAudited()).toMatchObject({ what: 'gate of preview of holdfast/prod', outcome: 'succeeded' });

  const repository = path.join(embedded.home, 'repositories/prod/backup');
  fs.renameSync(repository, `${repository}-away`);
  try {
    const blocked = await embedded.shell('npx pulumi preview --stack prod --non-interactive');
    expect(blocked.code).not.toBe(0);
    expect(blocked.stdout).toContain('[mandatory]');
    expect(lastAudited()).toMatchObject({ what: 'gate of preview of holdfast/prod', outcome: 'refused' });
  } finally {
    fs.renameSync(`${repository}-away`, repository);
  }
});

test('production is not destroyed while it holds data, protection or not', async () => {
  const { code, stdout, stderr } = await embedded.shell(
    'npx pulumi destroy --stack prod --yes --ignore-protect --non-interactive',
  );
  expect(code).not.toBe(0);
  expect(stdout + stderr).toContain('holds data');
  expect(await embedded.query('prod', 'shop', 'select 1')).toBe('1');
  const { code: again, stdout: said } = await embedded.start();
  expect({ again, said }).toMatchObject({
    again: 0,
    said: expect.stringContaining('Nothing to change.') as string,
  });
});

test('down takes staging apart and leaves production alone', async () => {
  const halfHearted = await embedded.holdfast('down', '--production');
  expect(halfHearted).toMatchObject({ code: 3 });
  const { code, stdout } = await embedded.holdfast('down');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'Gone: staging.\n' });
  expect(fs.existsSync(path.join(embedded.home, 'clusters/staging'))).toBe(false);
  expect(await embedded.query('prod', 'postgres', 'select 1')).toBe('1');
});

const insist = ['down', '--production', '--yes-delete-production-data'];

test('down that is killed before it erases leaves production backed up, and npm start keeps it', async () => {
  const cluster = path.join(embedded.home, 'clusters/prod');
  const journal = path.join(embedded.home, '.down-prod.json');
  const { uid, gid } = fs.statSync(path.join(cluster, 'data'));
  // As long as what is due may be running, nothing is erased.
  const due = spawn('flock', [path.join(cluster, 'lock/schedule.lock'), 'cat'], { uid, gid, cwd: '/' });
  const released = new Promise(resolve => due.once('close', resolve));
  const first = embedded.begin(...insist);
  const ended = new Promise(resolve => first.once('close', resolve));
  await until('it is about to erase', () => fs.existsSync(journal), { seconds: 120 });
  process.kill(-first.pid!, 'SIGKILL');
  await ended;
  due.stdin.end();
  await released;
  expect(await embedded.query('prod', 'postgres', 'select 1')).toBe('1');
  expect(await embedded.isScheduled('prod')).toBe(true);

  const { code, stderr } = await embedded.start();
  expect(stderr).toContain('prod: an interrupted `holdfast down` had erased nothing: it stays');
  expect(code).toBe(0);
  expect(await embedded.isScheduled('prod')).toBe(true);
  expect(fs.existsSync(journal)).toBe(false);
  // Where it was killed before anything was put aside, there is not even the directory.
  const kept = path.join(embedded.home, 'kept');
  expect(fs.existsSync(kept) ? fs.readdirSync(kept) : []).toEqual([]);
});

test('down takes production apart when one insists, and its final backup is all that is needed to have it back', async () => {
  await embedded.query('prod', 'shop', 'create table app.kept as select generate_series(1, 1000) as i');
  const { uid, gid } = fs.statSync(path.join(embedded.home, 'clusters/prod/data'));

  // Cut off between the data and the timer.
  const timer = path.join(embedded.home, 'clusters/prod/schedule.json');
  fs.renameSync(timer, `${timer}-away`);
  fs.writeFileSync(timer, 'garbage');
  expect(await embedded.holdfast(...insist)).toMatchObject({ code: 5 });
  fs.renameSync(`${timer}-away`, timer);
  expect(fs.existsSync(path.join(embedded.home, 'clusters/prod/data/PG_VERSION'))).toBe(false);
  const start = await embedded.start();
  expect(start.stderr).toContain('an interrupted `holdfast down` has erased data of prod');
  expect(start.code).toBe(3);

  const { code, stdout, stderr } = await embedded.holdfast(...insist);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  expect(await embedded.isScheduled('prod')).toBe(false);
  const kept = /^Kept: (.*) \(docs/m.exec(stdout)?.[1];
  expect(fs.readdirSync(kept!).sort()).toEqual(['audit.jsonl', 'pgbackrest.conf', 'repository']);
  const backupSet = path.basename(kept!).replace('prod-', '');
  expect(lastAudited(path.join(kept!, 'audit.jsonl'))).toMatchObject({
    what: 'erase',
    who: expect.stringContaining('@') as string,
    outcome: 'succeeded',
    detail: `backup set ${backupSet} is kept`,
  });
  expect(fs.existsSync(path.join(embedded.home, 'clusters'))).toBe(false);

  // Elsewhere, with nothing of Holdfast left.
  const elsewhere = tempDir(0o711);
  const owned = path.join(elsewhere, 'owned');
  fs.cpSync(path.join(kept!, 'repository'), path.join(elsewhere, 'repository'), { recursive: true });
  fs.rmSync(embedded.home, { recursive: true });
  fs.mkdirSync(owned);
  if (process.getuid?.() === 0) await succeed('chown', ['-R', `${uid}:${gid}`, elsewhere]);
  const target = path.join(owned, 'recovered');
  const env = { PATH: process.env.PATH, REPOSITORY: path.join(elsewhere, 'repository'), TARGET: target };
  const recovered = await run('bash', ['--norc', '-euo', 'pipefail', '-c', recipe()], {
    uid,
    gid,
    cwd: '/',
    env,
  });
  expect({ code: recovered.code, stderr: recovered.code === 0 ? '' : recovered.stderr }).toEqual({
    code: 0,
    stderr: '',
  });
  const count = ['-h', target, '-p', '5499', '-d', 'shop', '-XAtc', 'select count(*) from app.kept'];
  expect(await succeed('psql', count, { uid, gid, cwd: '/' })).toBe('1000\n');
  await succeed('/usr/lib/postgresql/15/bin/pg_ctl', ['-D', path.join(target, 'data'), '-w', 'stop'], {
    uid,
    gid,
    cwd: '/',
  });
});

/** The commands of the bare recovery recipe, as docs/operations.md has them. */
function recipe(): string {
  const text = fs.readFileSync(path.join(repositoryRoot, 'docs/operations.md'), 'utf8');
  const section = text.split('## The bare recovery recipe')[1]?.split('\n## ')[0] ?? '';
  const blocks = [...section.matchAll(/```sh\n([^]*?)```/g)].map(match => match[1]);
  expect(blocks).toHaveLength(4);
  return blocks.join('\n');
}
