import fs from 'node:fs';
import path from 'node:path';
import { acquire, lockHolder, withClusterLock } from '../../../engines/host/lock';
import { removeTempDirs, tempDir } from '../../support/temp';

const searched = process.env.PATH;
const platform = process.platform;
afterEach(() => {
  process.env.PATH = searched;
  Object.defineProperty(process, 'platform', { value: platform });
});
afterAll(removeTempDirs);

const nothing = () => Promise.resolve();

test('one lock excludes what shares it, and nothing else; who holds it is said', async () => {
  const directory = path.join(tempDir(), 'lock');
  await withClusterLock(directory, 'backup', 'ada: backup', async () => {
    expect(await lockHolder(directory)).toMatch(/^ada: backup \(backup\), process \d+, since 20/);
    await expect(withClusterLock(directory, 'restore', 'bob', nothing)).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining('ada: backup (backup)') as string,
    });
    await withClusterLock(directory, 'schedule', 'bob', nothing);
  });
  expect(await lockHolder(directory)).toBeNull();
  await withClusterLock(directory, 'restore', 'bob', nothing);
});

test('a lock whose holder wrote nothing down is held all the same', async () => {
  const directory = tempDir();
  const release = await acquire(directory, 'clone');
  await expect(acquire(directory, 'clone')).rejects.toThrow('the clone is locked by another process');
  await release();
  await (
    await acquire(directory, 'clone')
  )();
});

test('a lock that can’t be taken for another reason is not busy, and nothing runs', async () => {
  const file = path.join(tempDir(), 'a file');
  fs.writeFileSync(file, '');
  await expect(acquire(path.join(file, 'below'), 'cluster')).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringMatching(/^flock could not lock .* \(exit code \d+\)$/) as string,
  });
});

test('macOS locks by lockf', async () => {
  const bin = tempDir();
  fs.writeFileSync(path.join(bin, 'lockf'), '#!/bin/sh\necho "$@" > "$0.args"\nexec cat\n', { mode: 0o755 });
  process.env.PATH = `${bin}:${searched}`;
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  const release = await acquire('/srv/lock', 'cluster');
  await release();
  expect(fs.readFileSync(path.join(bin, 'lockf.args'), 'utf8')).toBe('-k -t 0 /srv/lock/cluster.lock cat\n');
});
