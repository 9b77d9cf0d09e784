import { HoldfastError } from '../../../core/errors';
import { withClusterLock } from '../lock';
import { ensureSocketDirectory, pathsOf, type ClusterPaths } from '../layout';
import { dataVersion, systemIdentifierOf } from '../postgres/data-directory';
import { findInstallation } from '../postgres/installation';
import { startServer, stopServer } from '../postgres/server';
import { readRecord } from '../record';
import type { HostSpecification } from '../../../core/specification';
import { assertIdentity } from './admission';

/**
 * Starts a managed cluster, as at the boot of its machine; nothing happens when it runs, or when its first apply was cut
 * off, which only another apply completes. Run it as the cluster's owner.
 *
 * @returns whether it was started.
 * @throws HoldfastError `refused` for an adopted cluster, which its owner starts, and for data that isn't the cluster's;
 * `busy` while a restore has it.
 */
export async function start(specification: HostSpecification, home: string): Promise<boolean> {
  const paths = await managedPaths(specification, home, 'started');
  await ensureSocketDirectory(paths.socketDirectory);
  return withClusterLock(paths.lock, 'restore', 'host start', async () => {
    const record = await readRecord(paths);
    if (record !== null) assertIdentity(record, await systemIdentifierOf(paths.dataDirectory));
    // Its configuration may still be initdb's: it would listen where nobody expects it.
    if (record?.appliedAt === null) return false;
    return startServer(await installationOf(paths), paths);
  });
}

/**
 * Stops a managed cluster; sessions are ended, and the last WAL is archived. Run it as the cluster's owner.
 *
 * @returns whether it ran.
 * @throws HoldfastError `refused` for an adopted cluster.
 */
export async function stop(specification: HostSpecification, home: string): Promise<boolean> {
  const paths = await managedPaths(specification, home, 'stopped');
  // Without the lock: the machine is going down, and a backup that runs must not hold it up until the power is gone.
  return stopServer(await installationOf(paths), paths);
}

async function managedPaths(
  specification: HostSpecification,
  home: string,
  what: 'started' | 'stopped',
): Promise<ClusterPaths> {
  const { cluster, settings } = specification;
  if (settings.source.mode === 'managed') return Promise.resolve(pathsOf(home, specification));
  throw new HoldfastError('refused', `cluster ${cluster} was adopted: it is not ${what} by Holdfast`, {
    hint: `It is ${what} as it always was, for example by systemctl.`,
  });
}

async function installationOf(paths: ClusterPaths) {
  const version = await dataVersion(paths.dataDirectory);
  if (version !== null) return findInstallation(version);
  throw new HoldfastError(
    'refused',
    `there is no data of cluster ${paths.cluster} in ${paths.dataDirectory}`,
    {
      hint: 'Is its disk mounted?',
    },
  );
}
