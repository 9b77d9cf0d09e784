import { HoldfastError } from '../../../core/errors';
import { clusterOf, type HostContext } from '../context';
import { freeBytes } from '../evidence-repository';
import type { ListedSet } from '../pgbackrest/info';

/** WAL that the clone keeps while it recovers (its `max_wal_size`), beside the files of the backup set. */
const walBytes = 1024 ** 3;

/** @throws HoldfastError `refused` when a clone would not fit on the disk, saying both sizes. */
export async function refuseWithoutSpace(
  context: HostContext,
  set: ListedSet,
  directory: string,
): Promise<void> {
  const free = await freeBytes(directory);
  const needed = set.sizeBytes + walBytes;
  if (free === null || free >= needed) return;
  throw new HoldfastError(
    'refused',
    `a clone of ${clusterOf(context)} from ${set.label} needs ${gigabytes(needed)}, but only ${gigabytes(free)} are free in ${directory}`,
    { hint: 'Free space there, or drop clones that aren’t needed any more (`holdfast clones`).' },
  );
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
