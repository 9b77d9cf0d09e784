import fs from 'node:fs';
import path from 'node:path';
import { ProcessError, run, type RunOptions } from '../../../engines/host/process';
import { isAlive, until } from '../../support/processes';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const shell = (script: string, options: Partial<RunOptions> = {}) =>
  run('sh', ['-c', script], { timeoutSeconds: 30, ...options });
const failure = async (ran: Promise<unknown>): Promise<ProcessError> => {
  const error: unknown = await ran.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProcessError);
  return error as ProcessError;
};

test('gives what the program printed, and its input to it', async () => {
  expect(await shell('cat; echo trouble >&2', { input: 'secret' })).toEqual({
    stdout: 'secret',
    stderr: 'trouble\n',
    exitCode: 0,
  });
});

test('has the environment and the directory that it is told', async () => {
  const cwd = fs.realpathSync(tempDir());
  const { stdout } = await shell('pwd; echo "$ONLY-$HOME"', {
    cwd,
    env: { PATH: process.env.PATH, ONLY: '1' },
  });
  expect(stdout).toBe(`${cwd}\n1-\n`);
});

test('an exit code that isn’t accepted is a failure, with the standard error in its message', async () => {
  expect((await shell('exit 3', { acceptExitCodes: [0, 3] })).exitCode).toBe(3);
  const error = await failure(shell('echo "no space left" >&2; exit 3'));
  expect(error).toMatchObject({
    message: 'sh ended with exit code 3:\nno space left',
    processExitCode: 3,
    timedOut: false,
    aborted: false,
    stderr: 'no space left\n',
  });
});

test('a subcommand is named, an option isn’t', async () => {
  expect((await failure(run('false', ['stanza-create'], { timeoutSeconds: 30 }))).message).toBe(
    'false stanza-create ended with exit code 1',
  );
  expect((await failure(run('false', [], { timeoutSeconds: 30 }))).message).toBe(
    'false ended with exit code 1',
  );
});

test('a signal that ended it is a failure without an exit code', async () => {
  expect(await failure(shell('kill -KILL $$'))).toMatchObject({
    message: 'sh was ended by a signal',
    processExitCode: null,
  });
});

test('lines are told as they come, the last one also without its end', async () => {
  const lines: string[] = [];
  const { stdout } = await shell('printf "one\\ntwo\\nthree"', { onLine: line => lines.push(line) });
  expect(lines).toEqual(['one', 'two', 'three']);
  expect(stdout).toBe('');
});

test('what takes too long is ended with all that it started', async () => {
  const pid = path.join(tempDir(), 'pid');
  const error = await failure(shell(`sleep 600 & echo $! > '${pid}'; wait`, { timeoutSeconds: 0.5 }));
  expect(error).toMatchObject({ timedOut: true, message: 'sh did not end within 0.5 s and was stopped' });
  await until('its child has ended', () => !isAlive(Number(fs.readFileSync(pid, 'utf8'))));
});

test('what is given up is ended, and the reason kept', async () => {
  const cancel = new AbortController();
  const error = await failure(
    shell('echo ready; exec sleep 600', {
      signal: cancel.signal,
      onLine: () => cancel.abort(new Error('given up')),
    }),
  );
  expect(error).toMatchObject({ aborted: true, message: 'sh was stopped' });
  expect(error.cause).toMatchObject({ message: 'given up' });
  await expect(shell('true', { signal: cancel.signal })).rejects.toThrow('given up');
});

test('what prints more than was expected is ended', async () => {
  const largestStdoutBytes = 1024 * 1024;
  const error = await failure(shell('yes', { largestStdoutBytes }));
  expect(error.message).toBe('sh printed more than 1 MiB and was stopped');
  expect((await failure(shell('yes'))).message).toBe('sh printed more than 16 MiB and was stopped');
});

test('a program that isn’t there is said, with what to install', async () => {
  const env = { PATH: tempDir() };
  const missing = (program: string) => failure(run(program, [], { timeoutSeconds: 30, env }));
  expect(await missing('pgbackrest')).toMatchObject({
    message: 'pgbackrest is not installed on this machine, or is not on the PATH',
    hint: expect.stringContaining('apt install pgbackrest') as string,
    processExitCode: null,
  });
  expect((await missing('nonsense')).hint).toContain('put its directory on the PATH');
});

test('what is given up before it could not be started is said to be missing', async () => {
  const cancel = new AbortController();
  const ran = run('nonsense', [], { timeoutSeconds: 30, env: { PATH: tempDir() }, signal: cancel.signal });
  cancel.abort(new Error('given up'));
  expect((await failure(ran)).message).toContain('nonsense is not installed');
});

test('a program that can’t be started is said', async () => {
  const file = path.join(tempDir(), 'program');
  fs.writeFileSync(file, '#!/bin/sh\n', { mode: 0o600 });
  expect((await failure(run(file, [], { timeoutSeconds: 30 }))).message).toMatch(
    /could not be started: .*EACCES/,
  );
});
