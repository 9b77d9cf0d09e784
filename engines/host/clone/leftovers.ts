import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readIfThere } from '../files';
import { run } from '../process';

const graceMilliseconds = 10_000;

/**
 * Ends the processes of pgBackRest that work for one clone: a restore goes on when the job that began it was killed, and
 * WAL is fetched ahead when none is needed any more. They would write into what is being removed. Each has a lock file with
 * its process in the clone's own lock directory.
 */
export async function endPgBackRest(lockDirectory: string): Promise<void> {
  const names = await fs.readdir(lockDirectory).catch(() => []);
  for (const name of names.filter(candidate => candidate.endsWith('.lock'))) {
    const text = (await readIfThere(path.join(lockDirectory, name)).catch(() => null)) ?? '';
    const pid = Number(/"pid":(\d+)/.exec(text)?.[1] ?? NaN);
    const deadline = Date.now() + graceMilliseconds;
    while (Number.isInteger(pid) && (await isPgBackRest(pid)) && Date.now() < deadline) {
      try {
        process.kill(pid, 'SIGTERM');
      } catch {
        // It has just ended.
      }
      await sleep(50);
    }
  }
}

async function isPgBackRest(pid: number): Promise<boolean> {
  const { stdout } = await run('ps', ['-o', 'stat=,comm=', '-p', String(pid)], {
    timeoutSeconds: 10,
    acceptExitCodes: [0, 1],
  });
  // A zombie writes nothing any more.
  return stdout.includes('pgbackrest') && !stdout.trim().startsWith('Z');
}

/** Removes a directory, though something may still be put into it for a moment. */
export async function removeTree(directory: string): Promise<void> {
  await fs.rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
