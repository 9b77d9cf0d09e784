import { readSpecification } from './context';

/**
 * Has this machine run what is due for a cluster. Where it is root's, this is done as root: the timers are.
 * @throws HoldfastError `configuration` when the cluster isn't here, or its owner could not run what the timer starts.
 */
export async function installTimer(home: string, cluster: string): Promise<unknown> {
  const specification = await readSpecification(home, cluster);
  const { installSchedule } = await import('../engines/host/schedule/schedule');
  const { programFile } = await import('../engines/host/layout');
  return installSchedule(specification, { home, node: process.execPath, program: programFile(home) });
}

/** Removes what `installTimer` wrote; a cluster that is gone has none. */
export async function removeTimer(home: string, cluster: string): Promise<unknown> {
  const { removeSchedule } = await import('../engines/host/schedule/schedule');
  return removeSchedule(cluster, { home });
}
