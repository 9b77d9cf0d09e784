import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { runningPostmaster } from '../../engines/host/postgres/data-directory';
import { quote } from '../../jobs/ssh';
import { engineOf, ownPort, rows } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { run } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * A person at a terminal, a real one: what is asked of them before production is replaced, and what they see meanwhile.
 */

const { bundle } = createRequire(__filename)('../../scripts/bundle.cjs') as {
  bundle: (kind: 'machine', folder: string) => { file: string };
};

let cluster: TestCluster;
let program: string;
const restore = ['restore', 'shop', '--latest', '--replace'];
const postmaster = async () => (await runningPostmaster(cluster.paths.dataDirectory))?.pid;

beforeAll(async () => {
  program = bundle('machine', tempDir()).file;
  cluster = await createCluster({ cluster: await ownPort() });
  await rows(engineOf(cluster), 'create table items as select generate_series(1, 200000) as id');
  const backup = [program, '--home', cluster.home, 'backup', 'shop'];
  expect(await run(process.execPath, backup, { cwd: '/' })).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

/** Runs a command at a terminal, and answers it with `typed` when it asks for the name of the cluster. */
async function atTerminal(typed: string, args: readonly string[]) {
  const command = [process.execPath, program, '--home', cluster.home, ...args].map(quote).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: '/',
    env: { ...process.env, TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let screen = '';
  let asked = false;
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
    if (asked || !screen.includes('Type the name of the cluster to replace it: ')) return;
    asked = true;
    child.stdin.write(`${typed}\n`);
  });
  const code = await new Promise<number | null>(resolve => child.once('close', resolve));
  child.stdin.destroy();
  return { code, screen, asked };
}

test('who types another name than the cluster’s replaces nothing', async () => {
  const before = await postmaster();
  const { code, screen } = await atTerminal('staging', restore);
  expect(screen).toContain('loses:');
  expect(screen).toContain('nothing was done: that is not shop');
  expect(code).toBe(2);
  expect(await postmaster()).toBe(before);
});

test('who types its name replaces it, and sees how far it is and when it ends', async () => {
  const before = await postmaster();
  const { code, screen } = await atTerminal('shop', restore);
  expect(screen).toMatch(/\d+ % \| restoring files \| ends in \d+/);
  expect(screen).toContain('shop is restored to the latest moment');
  expect(code).toBe(0);
  expect(await postmaster()).not.toBe(before);
  expect(await rows(engineOf(cluster), 'select count(*)::int as n from items')).toEqual([{ n: 200_000 }]);
});

test('who says so beforehand is not asked', async () => {
  const { code, asked } = await atTerminal('', [...restore, '--yes']);
  expect([code, asked]).toEqual([0, false]);
});
