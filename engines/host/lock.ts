import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { once } from 'node:events';
import { HoldfastError } from '../../core/errors';

/** Who holds a lock. */
interface Holder {
  readonly pid: number;
  readonly who: string;
  readonly since: string;
}

type LockName = 'cluster' | 'schedule' | 'verification' | 'clone' | 'record';

const conflict = 75;

/**
 * Runs `use` while holding a cluster's lock. A child process holds it in the kernel, and ends with the pipe to us: the lock
 * is free again however this process ends, and no file that is left behind can block anybody.
 *
 * Backups and restores share the one lock, so each excludes both; clones take none. The lock of
 * the schedule, and that of verifications, only keep their own runs apart.
 *
 * @throws HoldfastError `busy` at once when it is held, saying by whom.
 */
export async function withClusterLock<T>(
  directory: string,
  lock: 'backup' | 'restore' | 'schedule' | 'verification',
  holder: string,
  use: () => Promise<T>,
): Promise<T> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  const name = lock === 'backup' || lock === 'restore' ? 'cluster' : lock;
  const release = await acquire(directory, name);
  const info = holderFile(directory, name);
  try {
    const self: Holder = { pid: process.pid, who: `${holder} (${lock})`, since: new Date().toISOString() };
    // It is for messages only: a full disk must not keep anybody from alerting of it.
    await fs.writeFile(info, JSON.stringify(self), { mode: 0o600 }).catch(() => undefined);
    return await use();
  } finally {
    await fs.rm(info, { force: true });
    await release();
  }
}

const patienceSeconds = 30;

/**
 * Runs `use` while holding a lock that is only ever held for a moment: waits for it.
 * @throws HoldfastError `busy` after half a minute
 */
export async function whenUnlocked<T>(directory: string, name: 'record', use: () => Promise<T>): Promise<T> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  const release = await acquire(directory, name, patienceSeconds);
  try {
    return await use();
  } finally {
    await release();
  }
}

/** Who holds the cluster's lock as far as was written down, as a clause for a message. */
export async function lockHolder(directory: string, name: LockName = 'cluster'): Promise<string | null> {
  try {
    const holder = JSON.parse(await fs.readFile(holderFile(directory, name), 'utf8')) as Holder;
    return `${holder.who}, process ${holder.pid}, since ${holder.since}`;
  } catch {
    return null;
  }
}

function holderFile(directory: string, name: LockName): string {
  return path.join(directory, name === 'cluster' ? 'holder.json' : `${name}-holder.json`);
}

/**
 * Takes a lock for as long as this process lives and doesn’t release it.
 * @param waitSeconds how long it is waited for.
 * @throws HoldfastError `busy` when it is held.
 */
export async function acquire(
  directory: string,
  name: LockName,
  waitSeconds = 0,
): Promise<() => Promise<void>> {
  const file = path.join(directory, `${name}.lock`);
  const [program, args] =
    process.platform === 'darwin'
      ? ['lockf', ['-k', '-t', String(waitSeconds), file, 'cat']]
      : ['flock', [`--timeout=${waitSeconds}`, `--conflict-exit-code=${conflict}`, file, 'cat']];
  // In a group of its own: Ctrl-C must not take the lock away from a job that is still ending cleanly.
  const child = spawn(program, args, {
    env: process.env,
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  child.stdin.on('error', () => undefined);
  // What we write comes back only once `cat` runs, and it runs only with the lock.
  child.stdin.write('held\n');
  const outcome = await Promise.race([
    once(child.stdout, 'data').then(() => 'held' as const),
    once(child, 'close').then(([code]) => code as number | null),
  ]);
  if (outcome === 'held')
    return async () => {
      const closed = once(child, 'close');
      child.stdin.end();
      await closed;
    };
  if (outcome === conflict) {
    const holder = (await lockHolder(directory, name)) ?? 'another process';
    throw new HoldfastError('busy', `the ${name} is locked by ${holder}`, {
      hint: 'Wait until it has ended, and try again.',
    });
  }
  throw new HoldfastError('engine-failed', `${program} could not lock ${file} (exit code ${outcome})`, {
    hint: 'Is the directory writable, and the disk not full?',
  });
}
