import type { HostSpecification } from '../core/specification';
import type { Watch } from '../engines/engine';
import { fileMemory } from '../engines/host/memory';
import { audited } from './audit';
import { clusterDirectory, findSpecification } from './context';

/**
 * Removes a staging cluster from this machine, with its backups. Interrupted, the next one goes on; what was removed is no
 * error.
 * @throws HoldfastError `refused` for production.
 */
export async function removeCluster(
  home: string,
  specification: HostSpecification,
  watch: Watch,
): Promise<void> {
  const { becomeOwner } = await import('../engines/host/owner');
  const { remove } = await import('../engines/host/provision/remove');
  becomeOwner(specification.settings.owner);
  await remove(specification, { home, report: step => watch.report({ fraction: null, step }) });
}

/**
 * The production seal: passes only when the cluster holds no data any more.
 * @throws HoldfastError `refused` as long as it does, or when that can't be known; the refusal is audited.
 */
export async function sealCluster(home: string, cluster: string, watch: Watch): Promise<void> {
  const { seal } = await import('../engines/host/provision/remove');
  if ((await findSpecification(home, cluster)) === null) return seal([cluster], home);
  await audited(
    fileMemory(clusterDirectory(home, cluster)),
    { what: 'destroy of the production stack', cluster },
    watch.signal,
    () => seal([cluster], home),
    () => 'it holds no data any more',
  );
}
