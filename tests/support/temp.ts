import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const guardian = path.join(__dirname, 'guardian.cjs');
const made: string[] = [];
let guarded = false;

/**
 * A fresh directory `holdfast-test-<pid>-…`, that other users can enter (`mode`). It is removed by `removeTempDirs`, and at
 * the latest when this process ends, however it ends; processes that still run inside it are ended then.
 */
export function tempDir(mode = 0o755): string {
  if (!guarded) guard();
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), `holdfast-test-${process.pid}-`));
  fs.chmodSync(directory, mode);
  made.push(directory);
  return directory;
}

/** Ends what still runs inside the directories of this test file and removes them. Last in `afterAll`. */
export function removeTempDirs(): void {
  const directories = made.splice(0);
  if (directories.length > 0) spawnSync(process.execPath, [guardian, 'remove', ...directories]);
}

/** First what earlier runs left, then somebody who looks after this one. */
function guard(): void {
  guarded = true;
  spawnSync(process.execPath, [guardian, 'dead']);
  const child = spawn(process.execPath, [guardian, 'watch', String(process.pid)], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  // The pipe stays open as long as this process lives; it must not keep it alive.
  (child.stdin as unknown as { unref(): void }).unref();
}
