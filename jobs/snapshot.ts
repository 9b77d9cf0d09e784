import { createHash } from 'node:crypto';
import { assessBreakGlass } from '../core/break-glass';
import { asHoldfastError, HoldfastError } from '../core/errors';
import type { Evidence } from '../core/evidence';
import { judge, limitsOf } from '../core/freshness';
import { decide as decideGate } from '../core/gate';
import type { SnapshotRequest, SnapshotResult } from '../core/host-documents';
import { decideSnapshot } from '../core/replay';
import type { BackupSettings } from '../core/settings/stack';
import type { RestorePoint, Watch } from '../engines/engine';
import { audited } from './audit';
import { holder, takeBackup } from './backup';
import type { Cluster } from './cluster';
import { waiting } from './pace';
import { describeGrant, rememberBreakGlass } from './pending-break-glass';
import { whenFree } from './when-free';

/** What a snapshot is asked for, on a cluster that is open already. */
export type ChangeRequest = Pick<SnapshotRequest, 'change' | 'dryRun' | 'breakGlass'> & {
  /** What the change is about to apply: where it is stricter than what was applied, it counts for this change already. */
  readonly declared?: Pick<BackupSettings, 'rto' | 'snapshot'>;
};

export interface SnapshotReport extends SnapshotResult {
  readonly change: string;
  readonly outcome: 'done' | 'would-do' | 'nothing-to-protect' | 'failed-under-break-glass';
  readonly restorePoint: string | null;
  /** The backup set that was taken; null when none was needed. */
  readonly backupSet: string | null;
}

/**
 * What happens before the first change of a production cluster in a run: a named restore point whose WAL is proven to be
 * in the repository, and a backup where replaying from the newest one would take longer than the RTO. A running backup is
 * waited for. Under break-glass a failure is a warning, except when the cluster isn't the one that it should be.
 * @throws HoldfastError `refused` when it failed: the change must not begin. Nothing was altered then.
 */
export async function snapshotBeforeChange(
  cluster: Cluster,
  request: ChangeRequest,
  watch: Watch,
): Promise<SnapshotReport> {
  if (request.dryRun) return plan(cluster, request);
  return audited(
    cluster.engine.memory,
    { what: 'snapshot before a change', cluster: cluster.name, changeId: request.change },
    watch.signal,
    () => protect(cluster, request, watch),
    ({ message, warnings }) => [message, ...warnings].join('; '),
  );
}

async function plan(cluster: Cluster, { change, declared }: ChangeRequest): Promise<SnapshotReport> {
  const evidence = await cluster.engine.evidence();
  if (nothingToProtect(cluster, evidence)) return nothingYet(cluster.name, change);
  const { backup, reason } = decide(cluster, evidence, declared);
  const restorePoint = restorePointName(change);
  return {
    ...empty(cluster.name, change),
    outcome: 'would-do',
    restorePoint,
    message: `would mark restore point ${restorePoint} and ${backup ? 'take a backup' : 'take no backup'}: ${reason}`,
  };
}

async function protect(cluster: Cluster, request: ChangeRequest, watch: Watch): Promise<SnapshotReport> {
  const { name, engine } = cluster;
  const { change, declared } = request;
  const evidence = await engine.evidence();
  refuseIdentity(cluster, evidence);
  if (nothingToProtect(cluster, evidence)) return nothingYet(name, change);
  const restorePoint = restorePointName(change);
  const warnings = await waivedFindings(cluster, request, evidence);
  try {
    watch.report({ fraction: null, step: `marking restore point ${restorePoint}` });
    const mark = await engine.markRestorePoint(restorePoint);
    const { backup, reason } = decide(cluster, evidence, declared);
    const backupSet = backup ? await backupUnlessTaken(cluster, request, watch) : null;
    const taken = backupSet === null ? 'no backup was needed' : `backup ${backupSet} was taken`;
    return {
      ...empty(name, change),
      outcome: 'done',
      restorePoint,
      backupSet,
      warnings,
      message: `restore point ${restorePoint} ${whereItIs(mark)}; ${taken}: ${reason}`,
    };
  } catch (thrown) {
    const warning = await waive(cluster, request, evidence, thrown, watch.signal);
    return {
      ...empty(name, change),
      outcome: 'failed-under-break-glass',
      message: 'the snapshot failed; break-glass lets the change through without it',
      warnings: [...warnings, warning],
    };
  }
}

/** Whether the WAL of a restore point is safe already. */
function whereItIs({ archivedAfterSeconds, pending }: RestorePoint): string {
  return archivedAfterSeconds === null
    ? `is marked (${pending ?? 'recovery reaches it'})`
    : `is in the repository (after ${archivedAfterSeconds.toFixed(1)} s)`;
}

/** What the gate lets through under break-glass: it is on record on the next backup, also when the snapshot succeeds. */
async function waivedFindings(
  { name, engine, specification: { environment, settings } }: Cluster,
  { breakGlass }: ChangeRequest,
  evidence: Evidence,
): Promise<string[]> {
  if (breakGlass.state !== 'active') return [];
  const state = assessBreakGlass(breakGlass.grant, evidence.observedAt);
  const judgement = judge(evidence, limitsOf(settings.backups));
  const { decision, waived } = decideGate({ judgement, environment, breakGlass: state });
  if (decision !== 'allowed-under-break-glass' || state.state !== 'active') return [];
  await rememberBreakGlass(engine.memory, state.grant);
  const grant = describeGrant(state.grant);
  return waived.map(
    ({ rule, verdict, message }) =>
      `BREAK-GLASS: ${name} is changed although ${rule} is ${verdict}: ${message}. ${grant}`,
  );
}

/** Under a valid break-glass the warning that takes the failure's place; else throws. */
async function waive(
  { name, engine }: Cluster,
  { breakGlass }: ChangeRequest,
  { observedAt }: Evidence,
  thrown: unknown,
  signal: AbortSignal,
): Promise<string> {
  if (signal.aborted) throw thrown;
  const error = asHoldfastError(thrown);
  // Time has passed since it was assessed where Pulumi runs, and that machine's clock may be another.
  const state = breakGlass.state === 'active' ? assessBreakGlass(breakGlass.grant, observedAt) : breakGlass;
  if (state.state === 'active') {
    await rememberBreakGlass(engine.memory, state.grant);
    return `BREAK-GLASS: ${name} is changed without a snapshot: ${error.message}. ${describeGrant(state.grant)}`;
  }
  const counted = state.state === 'invalid' ? `; break-glass counts as none: ${state.reason}` : '';
  throw new HoldfastError(
    'refused',
    `the snapshot of ${name} before the change failed, so the change is not made: ${error.message}${counted}`,
    { cause: thrown, hint: error.hint ?? `holdfast status ${name} shows the state of its backups` },
  );
}

/** A cluster that isn't the recorded one is never changed, break-glass or not. */
function refuseIdentity({ name, specification }: Cluster, evidence: Evidence): void {
  const { findings } = judge(evidence, limitsOf(specification.settings.backups));
  const identity = findings.find(({ rule, verdict }) => rule === 'identity' && verdict !== 'fresh');
  if (identity === undefined) return;
  throw new HoldfastError('refused', `${name} is not what it should be: ${identity.message}`, {
    // What isn't fresh has a remedy.
    hint: String(identity.remedy),
  });
}

/** While a cluster is first provisioned or adopted there is no verified backup that a snapshot could build on. */
function nothingToProtect({ specification }: Cluster, evidence: Evidence): boolean {
  const { letsThrough } = judge(evidence, limitsOf(specification.settings.backups));
  return letsThrough === 'first-provision' || letsThrough === 'adoption';
}

const empty = (cluster: string, change: string) => ({
  cluster,
  change,
  restorePoint: null,
  backupSet: null,
  warnings: [],
});

function nothingYet(cluster: string, change: string): SnapshotReport {
  return {
    ...empty(cluster, change),
    outcome: 'nothing-to-protect',
    message: 'no snapshot: the cluster is only being provisioned or adopted, and has no verified backup yet',
  };
}

function decide(
  { specification }: Cluster,
  evidence: Evidence,
  declared: ChangeRequest['declared'],
): { backup: boolean; reason: string } {
  const applied = specification.settings.backups;
  const both = declared === undefined ? [applied] : [applied, declared];
  const measured = evidence.backups
    .flatMap(({ verification }) => (verification?.result === 'passed' ? [verification] : []))
    .at(-1);
  return decideSnapshot({
    bytesSinceNewestBackup: evidence.archive?.bytesSinceNewestBackup ?? null,
    replayBytesPerSecond: measured?.replayBytesPerSecond ?? null,
    restoreSeconds: measured?.restoreSeconds ?? null,
    rto: Math.min(...both.map(({ rto }) => rto)),
    mode: both.some(({ snapshot }) => snapshot === 'always') ? 'always' : 'when-needed',
  });
}

/** The backup before a change; not needed any more when one that was waited for has made it so. */
function backupUnlessTaken(
  cluster: Cluster,
  { change: changeId, declared }: ChangeRequest,
  watch: Watch,
): Promise<string | null> {
  const { engine } = cluster;
  return whenFree(
    waited =>
      engine.withLock('backup', holder(`snapshot for ${changeId}`), async () => {
        if (waited && !decide(cluster, await engine.evidence(), declared).backup) return null;
        const set = await takeBackup(cluster, { kind: 'incremental', changeId }, waiting(watch));
        return set.id;
      }),
    watch,
  );
}

/** At most 63 bytes, and different for different changes. */
export function restorePointName(change: string): string {
  const readable = change.replaceAll(/[^A-Za-z0-9_.:-]+/g, '-').slice(0, 45);
  const hash = createHash('sha256').update(change).digest('hex').slice(0, 8);
  return `change_${readable}_${hash}`;
}
