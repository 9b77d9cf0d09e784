import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { renderCronFile, renderCrontabBlock } from '../../../engines/host/schedule/cron';
import { jobName, type Job } from '../../../engines/host/schedule/plan';
import { succeed, until } from '../../support/processes';
import { repositoryRoot } from '../../support/pulumi';
import { removeTempDirs, tempDir } from '../../support/temp';

/*
 * What a killed test told cron to run. As root, in a mount namespace with an empty /etc/cron.d and empty crontabs, so that no cron
 * daemon runs any of it.
 */
const asRoot = process.getuid?.() === 0 ? test : test.skip;

afterAll(removeTempDirs);

const support = path.join(repositoryRoot, 'tests/support');
const guardian = path.join(support, 'guardian.cjs');

/** The private places, and how to run a program that sees them. */
function privateCron() {
  const directory = tempDir();
  const [cronDirectory, crontabs] = [path.join(directory, 'cron.d'), path.join(directory, 'crontabs')];
  for (const place of [cronDirectory, crontabs]) fs.mkdirSync(place);
  const mounts = 'mount --bind "$0" /etc/cron.d && mount --bind "$1" /var/spool/cron/crontabs && shift';
  const inside = (...words: string[]): [string, string[]] => [
    'unshare',
    ['--mount', 'sh', '-c', `${mounts} && exec "$@"`, cronDirectory, crontabs, ...words],
  ];
  return {
    inside,
    files: () => fs.readdirSync(cronDirectory).sort(),
    /** Without the lines that crontab itself puts on top. */
    crontab: () =>
      fs.readFileSync(path.join(crontabs, 'root'), 'utf8').replace(/^# (DO NOT EDIT|\().*\n/gm, ''),
    write: async (jobs: readonly Job[], crontab: string) => {
      for (const job of jobs) fs.writeFileSync(path.join(cronDirectory, job.name), renderCronFile(job));
      const [program, args] = inside('crontab', '-');
      await succeed(program, args, { input: crontab });
    },
  };
}

function job(home: string): Job {
  return {
    name: jobName(home, 'shop'),
    cluster: 'shop',
    owner: 'postgres',
    command: ['/usr/bin/node', path.join(home, 'program', 'holdfast.cjs')],
    environment: { HOLDFAST_HOME: home, PATH: '/usr/bin' },
    log: path.join(home, 'log'),
    dataDirectory: path.join(home, 'data'),
    startsAtBoot: true,
  };
}

/** Of homes that no run may touch: a person's, and one of a test that still runs. */
const others = () => [job('/var/lib/holdfast'), job(path.join(tempDir(), 'the home'))];
const names = (jobs: readonly Job[]) => jobs.map(({ name }) => name).sort();
const person = '# a line of mine\n0 4 * * * true\n';

asRoot('what a killed test told cron to run is removed, and nothing else', async () => {
  const places = privateCron();
  const victim = `
    const { tempDir } = require(${JSON.stringify(path.join(support, 'temp.ts'))});
    console.log(tempDir());
    setInterval(() => undefined, 1000);
  `;
  const [program, args] = places.inside(process.execPath, '--require', 'tsx/cjs', '-e', victim);
  const child = spawn(program, args, { cwd: repositoryRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  const directory = await new Promise<string>(resolve =>
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim())),
  );
  const [mine, kept] = [job(path.join(directory, 'the home')), others()];
  const keptBlocks = kept.map(renderCrontabBlock).join('');
  await places.write([mine, ...kept], renderCrontabBlock(mine) + person + keptBlocks);
  expect(places.files()).toEqual(names([mine, ...kept]));
  expect(places.crontab()).toContain(mine.name);

  child.kill('SIGKILL');
  await until('the guardian has cleaned up', () => !fs.existsSync(directory));
  expect(places.files()).toEqual(names(kept));
  expect(places.crontab()).toBe(person + keptBlocks);
});

asRoot(
  'what a dead test told cron to run is removed by the next run, its directory there or not',
  async () => {
    const places = privateCron();
    const dead = job(
      path.join(path.dirname(tempDir()), `holdfast-test-${spawnSync('true').pid}-left`, 'home'),
    );
    const kept = others();
    const keptBlocks = kept.map(renderCrontabBlock).join('');
    await places.write([dead, ...kept], person + keptBlocks + renderCrontabBlock(dead));
    await succeed(...places.inside(process.execPath, guardian, 'dead'));
    expect(places.files()).toEqual(names(kept));
    expect(places.crontab()).toBe(person + keptBlocks);
  },
);

asRoot('what a killed test of another user left is removed by the next run of root', async () => {
  const left = path.join(path.dirname(tempDir()), `holdfast-test-${spawnSync('true').pid}-engine`);
  fs.mkdirSync(left, { mode: 0o700 });
  const [uid, gid] = [65534, 65534];
  fs.chownSync(left, uid, gid);
  const script = 'umask 077; mkdir data && touch data/file && exec sleep 600';
  const resident = spawn('sh', ['-c', script], { uid, gid, cwd: left, stdio: 'ignore' });
  const ended = new Promise(resolve => resident.once('close', resolve));
  await until('it runs', () => fs.existsSync(path.join(left, 'data/file')));
  await succeed(process.execPath, [guardian, 'dead']);
  expect(fs.existsSync(left)).toBe(false);
  await ended;
});
