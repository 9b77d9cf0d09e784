import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { endOrphanedBackup } from '../../../engines/host/pgbackrest/orphan';
import { removeTempDirs, tempDir } from '../../support/temp';
import { until } from '../../support/processes';

/* Processes that look like those of pgBackRest: what counts are their arguments and their process group. */

const directory = tempDir();
const configuration = path.join(directory, 'pgbackrest.conf');
const lockFile = path.join(directory, 'shop-backup.lock');
const annotated = [`--config=${configuration}`, '--annotation=holdfast-change=1', 'backup'];
const children: ChildProcess[] = [];

afterEach(() => {
  jest.restoreAllMocks();
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});
afterAll(removeTempDirs);

/** A process that holds the lock, in a group of its own, once it runs its script. */
async function holderOf(script: string, args = annotated): Promise<ChildProcess> {
  const child = spawn('bash', ['-c', `${script}\n`, 'pgbackrest', ...args], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.push(child);
  await once(child.stdout, 'data');
  fs.writeFileSync(lockFile, JSON.stringify({ pid: child.pid, execId: `${child.pid}-1` }));
  return child;
}

const forever = 'echo ready; while :; do read -rt 1 <> <(:); done';

test('a backup whose job was killed is ended', async () => {
  const child = await holderOf(forever);
  const ended = once(child, 'exit');
  expect(await endOrphanedBackup(lockFile, configuration)).toBe(true);
  expect(await ended).toEqual([null, 'SIGTERM']);
});

test('one that hears nothing is killed', async () => {
  const child = await holderOf(`trap '' TERM; ${forever}`);
  const ended = once(child, 'exit');
  expect(await endOrphanedBackup(lockFile, configuration, 300)).toBe(true);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('what it started is ended when it is gone itself', async () => {
  const member = `bash -c '${forever.replace('echo ready; ', '')}' pgbackrest "$1" local & echo $!`;
  const child = await holderOf(member);
  await once(child, 'exit');
  expect(await endOrphanedBackup(lockFile, configuration)).toBe(true);
  await until('the group is gone', () => {
    try {
      process.kill(-child.pid!, 0);
      return false;
    } catch {
      return true;
    }
  });
});

test('one that somebody began without Holdfast is left alone', async () => {
  const child = await holderOf(forever, [`--config=${configuration}`, 'backup']);
  expect(await endOrphanedBackup(lockFile, configuration)).toBe(false);
  expect(child.exitCode).toBeNull();
  expect(child.signalCode).toBeNull();
});

test('one of another configuration has only the same number', async () => {
  const child = await holderOf(forever);
  expect(await endOrphanedBackup(lockFile, path.join(directory, 'other.conf'))).toBe(false);
  expect(child.signalCode).toBeNull();
});

test('one that can’t be ended is said to be there still', async () => {
  await holderOf(forever);
  jest.spyOn(process, 'kill').mockImplementation(() => {
    throw new Error('EPERM');
  });
  expect(await endOrphanedBackup(lockFile, configuration, 100)).toBe(false);
});

test.each(['', '{}', '{"pid":"7"}', '{"pid":'])('a lock that says %j is nobody’s', async text => {
  fs.writeFileSync(lockFile, text);
  expect(await endOrphanedBackup(lockFile, configuration)).toBe(false);
});
