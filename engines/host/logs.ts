import fs from 'node:fs/promises';
import path from 'node:path';

const largestBytes = 5 * 1024 * 1024;
const kept = 4;

/**
 * Rotates the logs of a cluster's jobs: each is renamed once it is larger than 5 MB, and the last four are kept.
 * PostgreSQL rotates its own (`postgresql-*`), which it holds open.
 */
export async function rotateLogs(clusterDirectory: string): Promise<void> {
  const directory = path.join(clusterDirectory, 'log');
  const names = await fs.readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });
  for (const name of names) {
    if (!name.endsWith('.log') || name.startsWith('postgresql')) continue;
    const file = path.join(directory, name);
    if ((await fs.stat(file)).size > largestBytes) await rotate(file);
  }
}

async function rotate(file: string): Promise<void> {
  for (let generation = kept - 1; generation >= 1; generation--)
    await fs.rename(`${file}.${generation}`, `${file}.${generation + 1}`).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  await fs.rename(file, `${file}.1`);
}
