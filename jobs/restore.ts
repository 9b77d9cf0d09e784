import { HoldfastError } from '../core/errors';
import { formatDuration } from '../core/durations';
import type { BackupSet, Evidence, Instant } from '../core/evidence';
import type { RecoveryTarget } from '../core/recovery-target';
import { after, secondsBetween } from '../core/time';
import type { Clone, FinishedClone, Watch } from '../engines/engine';
import { audited } from './audit';
import { holder, takeBackup } from './backup';
import { Findings } from './checklist';
import { describeTarget } from './clone';
import type { Cluster } from './cluster';
import { waiting } from './pace';
import { checkReachable, reach } from './reach';

/** What a restore that was given up leaves may be dropped after this long. */
const cloneSeconds = 7 * 24 * 3600;

export interface RestoreRequest {
  readonly target: RecoveryTarget;
  /** Why damage that the checks find in the restored cluster is accepted; without a reason it isn't swapped in. */
  readonly despiteChecks?: string;
}

/** What a restore would do, and what would be lost by it. */
export interface RestorePlan {
  readonly cluster: string;
  readonly environment: 'production' | 'staging';
  readonly target: string;
  /** In sentences, for the one who decides. */
  readonly losses: readonly string[];
}

export interface RestoreResult {
  readonly cluster: string;
  readonly target: string;
  readonly restoreSeconds: number;
  /** The time of the last transaction that the cluster now contains. */
  readonly reached: Instant | null;
  /** Where the old cluster's data is kept. */
  readonly keptAside: string;
  /** The full backup on the new timeline. */
  readonly backupSet: BackupSet;
}

/**
 * Says what a restore would do, without doing anything.
 * @throws HoldfastError `configuration` when the moment is out of range, saying the range.
 */
export async function planRestore(
  { name, specification, engine }: Cluster,
  { target }: RestoreRequest,
): Promise<RestorePlan> {
  const evidence = await engine.evidence();
  checkReachable(target, evidence);
  const points = target.type === 'restore-point' ? await engine.restorePoints() : [];
  const point = points.find(candidate => target.type === 'restore-point' && candidate.name === target.name);
  const at = target.type === 'time' ? target.at : (point?.at ?? null);
  return {
    cluster: name,
    environment: specification.environment,
    target: describeTarget(target),
    losses: lossesOf(target, at, evidence),
  };
}

function lossesOf(target: RecoveryTarget, at: Instant | null, evidence: Evidence): string[] {
  const { observedAt, server } = evidence;
  if (target.type === 'latest')
    return server.state === 'running'
      ? ['nothing that was committed: nothing can be written to it first, and its last WAL is archived']
      : [
          'nothing that was committed, if the cluster was stopped cleanly; if it crashed, what is in its last, unfinished WAL segment: start it and stop it first, where it still starts',
        ];
  const span =
    at === null
      ? `every transaction after ${describeTarget(target)}`
      : `every transaction between ${at} and now (${formatDuration(secondsBetween(at, observedAt))})`;
  return [span, 'in every database of the cluster, not only in one'];
}

/**
 * Takes the whole cluster back to a moment: the last resort. It is restored beside the original, checked, and only then
 * put in its place; the old data is kept aside, and a full backup is taken on the new timeline. Given up before the swap,
 * the original is as it was. Interrupted in the swap, the next run finishes or undoes it.
 * @throws HoldfastError `busy` when anything else works on the cluster
 */
export function restore(cluster: Cluster, request: RestoreRequest, watch: Watch): Promise<RestoreResult> {
  const { name, engine } = cluster;
  return audited(
    engine.memory,
    { what: `restore to ${describeTarget(request.target)}`, cluster: name },
    watch.signal,
    () => engine.withLock('restore', holder('restore'), () => restoreLocked(cluster, request, watch)),
    result => `old data kept in ${result.keptAside}; backup ${result.backupSet.id}`,
  );
}

async function restoreLocked(
  cluster: Cluster,
  request: RestoreRequest,
  watch: Watch,
): Promise<RestoreResult> {
  const { name, engine } = cluster;
  for (const settled of await engine.settle()) watch.report({ fraction: null, step: settled });
  const { observedAt } = await reach(engine, request.target, watch);
  const clone = await restoreBeside(cluster, request, after(observedAt, cloneSeconds), watch);
  watch.report({ fraction: null, step: 'putting the restored cluster in the place of the original' });
  const { keptAside } = await engine
    .replaceWith(clone)
    .wait(watch)
    .catch(async (error: unknown) => {
      // What is refused before the swap begins leaves a cluster that was halted for it: it has to run again.
      await engine.resume();
      throw error;
    });
  watch.report({ fraction: null, step: 'taking a full backup on the new timeline' });
  const backupSet = await takeBackup(cluster, { kind: 'full' }, waiting(watch)).catch((cause: unknown) => {
    throw new HoldfastError(
      'engine-failed',
      `${name} is restored and running (old data: ${keptAside}), but the full backup on the new timeline failed`,
      { cause, hint: `holdfast backup ${name} --kind full` },
    );
  });
  return {
    cluster: name,
    target: describeTarget(request.target),
    restoreSeconds: clone.measured.restoreSeconds,
    reached: clone.measured.reached,
    keptAside,
    backupSet,
  };
}

/** The restored cluster, checked and ready to be swapped in. Failing, it leaves the original running as it was. */
async function restoreBeside(
  { name, engine }: Cluster,
  { target, despiteChecks }: RestoreRequest,
  expiresAt: Instant,
  watch: Watch,
): Promise<FinishedClone> {
  const halts = target.type === 'latest';
  let clone: FinishedClone | undefined;
  try {
    if (halts) {
      watch.report({
        fraction: null,
        step: 'keeping the cluster from being written to, so that its last WAL is archived',
      });
      await engine.halt();
    }
    watch.signal.throwIfAborted();
    clone = await engine.clone({ target, purpose: 'restore', expiresAt }).wait(watch);
    const damage = await checkRestored(engine, clone, watch);
    if (damage.length === 0) return clone;
    if (despiteChecks !== undefined) {
      watch.report({ fraction: null, step: `accepted (${despiteChecks}): ${damage.join('; ')}` });
      return clone;
    }
    throw new HoldfastError(
      'check-failed',
      `the restored ${name} is damaged, so it was not put in place: ${damage.slice(0, 5).join('; ')}`,
      {
        hint: `It is kept as clone ${clone.id}. Choose an earlier moment, or accept it with --despite-checks REASON.`,
      },
    );
  } catch (error) {
    if (clone !== undefined && watch.signal.aborted) await engine.dropClone(clone.id);
    if (halts) await engine.resume();
    throw error;
  }
}

async function checkRestored(engine: Cluster['engine'], clone: Clone, watch: Watch): Promise<string[]> {
  const answers = await engine.withSession({ database: 'postgres', clone }, session =>
    session.query<{ recovering: boolean }>('select pg_is_in_recovery() as recovering'),
  );
  if (answers[0]?.recovering !== false) return ['it is still recovering'];
  const found = new Findings();
  await engine.checkIntegrity(clone, found, watch);
  return found.wrong;
}
