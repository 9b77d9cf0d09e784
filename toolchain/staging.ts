import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { errorCodeOf } from './subprocess';

const prefix = '.holdfast-staging-';

/**
 * Gives `work` an empty directory beside `target`, on the same file system, and removes it afterwards. Staging directories
 * that a killed run left are removed first, so the caller must hold the lock.
 */
export async function withStaging<T>(target: string, work: (staging: string) => Promise<T>): Promise<T> {
  const parent = path.dirname(target);
  await mkdir(parent, { recursive: true });
  await sweep(parent);
  const staging = await mkdtemp(path.join(parent, prefix));
  try {
    return await work(staging);
  } finally {
    await rm(staging, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Removes what killed runs left in a directory. */
export async function sweep(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const stale = names.filter(name => name.startsWith(prefix));
  await Promise.all(
    stale.map(name => rm(path.join(parent, name), { recursive: true, force: true, maxRetries: 3 })),
  );
}

/**
 * Puts a finished directory in the target's place. What was there goes into the staging directory, and is removed with it;
 * programs that run from it keep running. Killed in between, the target is absent, never half.
 */
export async function putInPlace(finished: string, target: string, staging: string): Promise<void> {
  await chmod(finished, 0o755);
  await rename(target, path.join(staging, 'replaced')).catch((error: unknown) => {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
  });
  await rename(finished, target);
  await rm(`${target}.partial`, { force: true });
}
