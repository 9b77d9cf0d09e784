import type { BackupKind, BackupSet } from '../core/evidence';
import type { Watch } from '../engines/engine';
import { audited, requester } from './audit';
import type { Cluster } from './cluster';
import { forgetBreakGlass, pendingBreakGlass } from './pending-break-glass';

export interface BackupRequest {
  readonly kind: BackupKind;
  /** The change that it is taken for; kept on the backup set. */
  readonly changeId?: string;
}

/**
 * Takes a backup. The first one of a cluster is always a full one, whatever was asked for.
 * @throws HoldfastError `busy` when a backup or a restore of the cluster is running.
 */
export function backup(cluster: Cluster, request: BackupRequest, watch: Watch): Promise<BackupSet> {
  const { name, directory, engine } = cluster;
  return audited(
    directory,
    {
      what: `backup ${request.kind}`,
      cluster: name,
      ...(request.changeId === undefined ? {} : { changeId: request.changeId }),
    },
    watch.signal,
    () => engine.withLock('backup', holder('backup'), () => takeBackup(cluster, request, watch)),
    set => `${set.id} (${set.kind})`,
  );
}

/** The same for a job that holds the cluster's lock, and writes its own line of the audit. */
export async function takeBackup(
  { directory, engine }: Cluster,
  { kind, changeId }: BackupRequest,
  watch: Watch,
): Promise<BackupSet> {
  const breakGlass = await pendingBreakGlass(directory);
  const set = await engine
    .backup(kind, {
      requestedBy: requester(),
      ...(changeId === undefined ? {} : { changeId }),
      ...(breakGlass === undefined ? {} : { breakGlass }),
    })
    .wait(watch);
  if (breakGlass !== undefined) await forgetBreakGlass(directory);
  return set;
}

/** Who holds a lock, for the one who finds it held. */
export function holder(job: string): string {
  return `holdfast ${job} of ${requester()}`;
}
