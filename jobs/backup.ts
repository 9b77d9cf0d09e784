import type { BackupKind, BackupSet, Instant } from '../core/evidence';
import type { Operation } from '../engines/engine';
import { audited, requester } from './audit';
import type { Cluster } from './cluster';
import { paced, type Pace } from './pace';
import { forgetBreakGlass, pendingBreakGlass } from './pending-break-glass';

export interface BackupRequest {
  readonly kind: BackupKind;
  /** The change that it is taken for; kept on the backup set. */
  readonly changeId?: string;
  /** When it was first asked for, by which a later look finds it again. @default now */
  readonly begun?: Instant;
}

/**
 * Takes a backup. The first one of a cluster is always a full one, whatever was asked for.
 * @throws HoldfastError `busy` when a backup or a restore of the cluster is running.
 */
export function backup(cluster: Cluster, request: BackupRequest): Operation<BackupSet> {
  const { name, engine } = cluster;
  const { kind, changeId } = request;
  return paced(pace =>
    audited(
      engine.memory,
      { what: `backup ${kind}`, cluster: name, ...(changeId === undefined ? {} : { changeId }) },
      pace.signal,
      () => engine.withLock('backup', holder('backup'), () => takeBackup(cluster, request, pace)),
      set => `${set.id} (${set.kind})`,
    ),
  );
}

/** The same for a job that holds the cluster's lock, and writes its own line of the audit. */
export async function takeBackup(
  { engine }: Cluster,
  { kind, changeId, begun }: BackupRequest,
  pace: Pace,
): Promise<BackupSet> {
  const breakGlass = await pendingBreakGlass(engine.memory);
  const annotations = {
    requestedBy: requester(),
    ...(changeId === undefined ? {} : { changeId }),
    ...(breakGlass === undefined ? {} : { breakGlass }),
  };
  const set = await pace.result(engine.backup(kind, annotations, begun));
  if (breakGlass !== undefined) await forgetBreakGlass(engine.memory);
  return set;
}

/** Who holds a lock, for the one who finds it held. */
export function holder(job: string): string {
  return `holdfast ${job} of ${requester()}`;
}
