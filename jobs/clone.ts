import { HoldfastError } from '../core/errors';
import type { RecoveryTarget } from '../core/recovery-target';
import { after } from '../core/time';
import type { Clone, FinishedClone, Watch } from '../engines/engine';
import { audited } from './audit';
import type { Cluster } from './cluster';
import { reach } from './reach';

/** How long a clone is kept unless it is said otherwise: a working day and the night after it. */
export const defaultCloneSeconds = 24 * 3600;

export interface CloneJobRequest {
  readonly target: RecoveryTarget;
  /** It is dropped by the schedule after this long. @default 24 h */
  readonly keepSeconds?: number;
}

/**
 * Restores the cluster as it was at a moment beside the original, which isn't touched.
 * @throws HoldfastError `configuration` when the moment is out of range, saying the range.
 */
export function clone(cluster: Cluster, request: CloneJobRequest, watch: Watch): Promise<FinishedClone> {
  const { name, engine } = cluster;
  return audited(
    engine.memory,
    { what: `clone at ${describeTarget(request.target)}`, cluster: name },
    watch.signal,
    async () => {
      const { observedAt } = await reach(engine, request.target, watch);
      return engine
        .clone({
          target: request.target,
          purpose: 'clone',
          expiresAt: after(observedAt, request.keepSeconds ?? defaultCloneSeconds),
        })
        .wait(watch);
    },
    made => made.id,
  );
}

/** The clones that there are, incomplete ones too. */
export function clones({ engine }: Cluster): Promise<readonly Clone[]> {
  return engine.clones();
}

/**
 * Drops a clone, whatever it is for.
 * @throws HoldfastError `configuration` when there is none of this name, saying which there are.
 */
export function dropClone(cluster: Cluster, id: string, signal: AbortSignal): Promise<void> {
  const { name, engine } = cluster;
  return audited(engine.memory, { what: `clone-drop ${id}`, cluster: name }, signal, async () => {
    const existing = await engine.clones();
    if (!existing.some(candidate => candidate.id === id))
      throw new HoldfastError('configuration', `${name} has no clone ${id}`, {
        hint:
          existing.length === 0
            ? 'It has no clones at all.'
            : `It has ${existing.map(candidate => candidate.id).join(', ')}.`,
      });
    await engine.dropClone(id);
  });
}

/** For a person: to which moment. */
export function describeTarget(target: RecoveryTarget): string {
  switch (target.type) {
    case 'latest':
      return 'the latest moment';
    case 'time':
      return target.at;
    case 'restore-point':
      return `restore point ${target.name}`;
    case 'backup-set':
      return `backup set ${target.id}`;
  }
}
