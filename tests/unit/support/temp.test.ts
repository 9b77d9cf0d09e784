import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isAlive, run, until } from '../../support/processes';
import { removeTempDirs, tempDir } from '../../support/temp';
import { answers } from '../../support/ports';
import { startSshd } from '../../support/sshd';

afterAll(removeTempDirs);

/** A process that makes a temporary directory with a program running in it, says where, and waits to be killed. */
const victim = `
  const { tempDir } = require(${JSON.stringify(path.resolve(__dirname, '../../support/temp.ts'))});
  const { spawn } = require('node:child_process');
  const directory = tempDir();
  const child = spawn('sleep', ['600'], { cwd: directory, detached: true, stdio: 'ignore' });
  console.log(JSON.stringify({ directory, pid: child.pid }));
  setInterval(() => undefined, 1000);
`;

async function startVictim() {
  const child = spawn(process.execPath, ['--require', 'tsx/cjs', '-e', victim], {
    cwd: path.resolve(__dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>(resolve =>
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  return { child, ...(JSON.parse(line) as { directory: string; pid: number }) };
}

test('what a killed test process left is removed, and what runs in there is ended', async () => {
  const { child, directory, pid } = await startVictim();
  expect(fs.existsSync(directory)).toBe(true);
  child.kill('SIGKILL');
  await until('the guardian has cleaned up', () => !fs.existsSync(directory) && !isAlive(pid));
});

test('a directory of a dead process, whose guardian died too, is removed by the next test that makes one', () => {
  const dead = spawnSync('true').pid;
  const left = path.join(path.dirname(tempDir()), `holdfast-test-${dead}-left`);
  fs.mkdirSync(left);
  spawnSync(process.execPath, [path.resolve(__dirname, '../../support/guardian.cjs'), 'dead']);
  expect(fs.existsSync(left)).toBe(false);
});

test('a directory of a living process stays', () => {
  const mine = tempDir();
  spawnSync(process.execPath, [path.resolve(__dirname, '../../support/guardian.cjs'), 'dead']);
  expect(fs.existsSync(mine)).toBe(true);
});

test('the sshd of the tests lets its key in and nothing listens after it stopped', async () => {
  const sshd = await startSshd();
  const known = path.join(path.dirname(sshd.privateKeyPath), 'known_hosts');
  fs.writeFileSync(known, `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
  const user = os.userInfo().username;
  const options = ['-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${known}`, '-i', sshd.privateKeyPath];
  const ran = await run('ssh', [
    '-F',
    'none',
    ...options,
    '-p',
    String(sshd.port),
    `${user}@127.0.0.1`,
    'echo hi',
  ]);
  expect(ran).toMatchObject({ code: 0, stdout: 'hi\n' });
  await sshd.stop();
  expect(await answers(sshd.port)).toBe(false);
});
