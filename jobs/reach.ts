import { asHoldfastError } from '../core/errors';
import type { Evidence } from '../core/evidence';
import { checkWithin, parseTime, type RecoveryTarget } from '../core/recovery-target';
import type { Engine, Watch } from '../engines/engine';

/**
 * Evidence of a cluster of which a target can be reached. The mistake to be undone is often only seconds old: what a running
 * cluster committed before the target and had not archived yet is archived now, and marked as a restore point.
 * @throws HoldfastError `configuration` when the target is out of range, saying the range
 */
export async function reach(engine: Engine, target: RecoveryTarget, watch: Watch): Promise<Evidence> {
  const evidence = await engine.evidence();
  if (!waitsForWal(target, evidence)) {
    checkWithin(target, evidence.restorable);
    return evidence;
  }
  watch.report({ fraction: null, step: 'archiving the latest WAL' });
  const stamp = evidence.observedAt.replaceAll(/\D/g, '').slice(0, 14);
  await engine.markRestorePoint(`holdfast_${stamp}`).catch((error: unknown) => {
    watch.report({ fraction: null, step: `it can’t be archived: ${asHoldfastError(error).message}` });
  });
  watch.signal.throwIfAborted();
  const complete = await engine.evidence();
  checkWithin(target, complete.restorable);
  return complete;
}

/** Refuses what can't be reached, also by archiving what waits, without doing anything. */
export function checkReachable(target: RecoveryTarget, evidence: Evidence): void {
  if (!waitsForWal(target, evidence)) checkWithin(target, evidence.restorable);
}

/** Whether a target lies in the past of a running cluster, but after what is archived of it. */
function waitsForWal(target: RecoveryTarget, { restorable, observedAt, server }: Evidence): boolean {
  if (target.type !== 'time' || restorable === null || server.state !== 'running') return false;
  const at = parseTime(target.at);
  return at > parseTime(restorable.until) && at <= parseTime(observedAt);
}
