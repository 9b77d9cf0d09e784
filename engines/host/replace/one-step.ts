import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { clusterOf, type HostContext } from '../context';

/**
 * Refuses a cluster whose data can't be swapped by a rename. Asked before anything is stopped or restored: found at the swap
 * it would cost the hours that the restore took.
 * @throws HoldfastError `refused`
 */
export async function assertSwappable(context: HostContext): Promise<void> {
  const { dataDirectory } = context.paths;
  const [data, parent] = await Promise.all([dataDirectory, path.dirname(dataDirectory)].map(deviceOf));
  // Lost data leaves nothing to be swapped with.
  if (data === null || data === parent) return;
  throw new HoldfastError(
    'refused',
    `${dataDirectory} is a mount point, or a link to another file system, so no restored cluster can take its place in one step`,
    {
      hint: `Restore it beside (\`holdfast clone ${clusterOf(context)}\`), and bring it back by hand (docs/operations.md); or stop the cluster and move its data below the mount point. Nothing was changed.`,
    },
  );
}

/** The file system that a directory is on; null when there is none. */
export async function deviceOf(directory: string): Promise<number | null> {
  return fs.stat(directory).then(
    ({ dev }) => dev,
    () => null,
  );
}
