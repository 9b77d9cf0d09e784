import fs from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { forward } from '../../../jobs/forward';
import { removeTempDirs, tempDir } from '../../support/temp';
import { connection } from './connection';

const program = { file: '', hash: '' };
jest.mock('../../../jobs/program', () => ({ ownProgram: () => program }));

const searched = process.env.PATH;

/** The other side of ssh is this script of Node.js. */
function otherSideIs(script: string): void {
  const directory = tempDir();
  fs.writeFileSync(path.join(directory, 'ssh'), `#!${process.execPath}\n${script}`, { mode: 0o755 });
  process.env.PATH = `${directory}:${searched}`;
}

function terminal(changes: { person?: boolean; signal?: AbortSignal } = {}) {
  const streams = { stdin: new PassThrough(), stdout: new PassThrough(), stderr: new PassThrough() };
  const said: string[] = [];
  streams.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
  return { ...streams, said, person: false, signal: new AbortController().signal, ...changes };
}

afterEach(() => {
  process.env.PATH = searched;
});
afterAll(removeTempDirs);

/** Ends with 7 once it was told of a signal, which it says. */
const waits = `
  console.error('running');
  process.stdin.on('data', chunk => {
    const [, signal] = /^signal (\\w+)$/m.exec(chunk) ?? [];
    if (signal) { console.error('got ' + signal); process.exit(7); }
  });`;

test('what the other side prints is printed, its questions are answered, and its exit code is ours', async () => {
  otherSideIs(`
    console.error('Sure?');
    process.stdin.once('data', chunk => { console.log('answer: ' + chunk); process.exitCode = 3; process.stdin.destroy(); });`);
  const screen = terminal({ person: true });
  screen.stdin.write('yes');
  expect(await forward(connection, ['restore', 'shop'], screen)).toBe(3);
  expect(String(screen.stdout.read())).toBe('answer: yes\n');
  expect(screen.said.join('')).toBe('Sure?\n');
});

test('without a person nothing is read', async () => {
  otherSideIs(`process.stdin.on('data', () => process.exit(9)); setTimeout(() => process.exit(0), 50);`);
  const screen = terminal();
  screen.stdin.write('yes');
  expect(await forward(connection, ['run-due', 'shop'], screen)).toBe(0);
});

test.each([
  [{ signal: 'SIGINT' }, 'SIGINT'],
  [new Error('given up'), 'SIGTERM'],
])('a signal is passed on: %p', async (reason, name) => {
  otherSideIs(waits);
  const cancel = new AbortController();
  const screen = terminal({ signal: cancel.signal });
  screen.stderr.once('data', () => cancel.abort(reason));
  expect(await forward(connection, ['backup', 'shop'], screen)).toBe(7);
  expect(screen.said.join('')).toContain(`got ${name}`);
});

test('a signal that came before is passed on too', async () => {
  otherSideIs(waits);
  const screen = terminal({ signal: AbortSignal.abort({ signal: 'SIGHUP' }) });
  expect(await forward(connection, ['backup', 'shop'], screen)).toBe(7);
  expect(screen.said.join('')).toContain('got SIGHUP');
});

test('a machine that can’t be reached is said; an ssh that a signal ends is a failure', async () => {
  otherSideIs('console.error("Connection refused"); process.exitCode = 255;');
  await expect(forward(connection, ['status'], terminal())).rejects.toMatchObject({
    code: 'engine-failed',
    message: "deploy@db1.example.com can't be reached: Connection refused",
  });
  otherSideIs('process.kill(process.pid, "SIGKILL")');
  expect(await forward(connection, ['status'], terminal())).toBe(1);
});

test('what is on AWS is run here, by the program that can ask AWS', async () => {
  program.file = path.join(tempDir(), 'holdfast-aws.cjs');
  fs.writeFileSync(program.file, 'console.log(process.argv.slice(2).join(" ")); process.exitCode = 4;');
  const screen = terminal();
  expect(await forward({ type: 'aws', region: 'eu-central-1' }, ['verify', 'shop'], screen)).toBe(4);
  expect(String(screen.stdout.read())).toMatch(
    /^--forwarded=program,\S+ verify shop --region eu-central-1\n$/,
  );
});
