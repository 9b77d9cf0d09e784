import fs from 'node:fs/promises';
import path from 'node:path';
import type { Memory, MemoryKey } from '../engine';
import { isAbsent, readIfThere, writeAtomically } from './files';
import { rotateLogs } from './logs';

/** What jobs remember of a cluster of this machine: files in its directory, which they don't make. */
export function fileMemory(directory: string): Memory {
  const file = (key: MemoryKey): string => path.join(directory, `${key}.json`);
  return {
    read: key => readIfThere(file(key)),
    write: (key, text) =>
      text === null ? fs.rm(file(key), { force: true }) : writeAtomically(file(key), text),
    appendAudit: line => append(directory, line),
    rotateLogs: () => rotateLogs(directory),
  };
}

/** In one write, so that lines of processes that run at the same time never mix. */
async function append(directory: string, line: string): Promise<boolean> {
  let file: fs.FileHandle;
  try {
    file = await fs.open(path.join(directory, 'audit.jsonl'), 'a', 0o600);
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
  try {
    await file.write(`${line}\n`);
    // A job that failed before it became the cluster's owner must not leave a log that the next ones can't append to.
    if (process.getuid?.() === 0) {
      const { uid, gid } = await fs.stat(directory);
      await file.chown(uid, gid);
    }
    return true;
  } finally {
    await file.close();
  }
}
