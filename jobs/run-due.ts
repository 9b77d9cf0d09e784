import { asHoldfastError } from '../core/errors';
import type { Evidence } from '../core/evidence';
import { judge, limitsOf } from '../core/freshness';
import type { ScheduledJob } from '../core/schedule';
import type { Watch } from '../engines/engine';
import type { Log } from './alert';
import { holder } from './backup';
import type { Cluster } from './cluster';
import { missing } from './decide-due';
import { sendAlerts } from './due-alerts';
import { runOne, type Ran } from './due-job';
import {
  nothingDue,
  recallDue,
  rememberDue,
  withBegun,
  withOutcome,
  withUsage,
  type DueMemory,
  type Failure,
} from './due-memory';
import { tidy } from './tidy';
import { isBusy } from './when-free';

export interface DueReport {
  readonly cluster: string;
  /** What was run, or looked at; null when nothing was. */
  readonly job: ScheduledJob | null;
  readonly outcome: Ran['outcome'];
  readonly reason: string;
  /** Keys of the alerts that were sent. */
  readonly alerts: readonly string[];
}

/**
 * What the timer calls every few minutes: settles what an interrupted job left, drops expired clones, runs the one job that
 * is due, and tells who is to be told. Where the engine goes on alone nothing is waited for: each call begins a job, or looks
 * once at the one that is under way. Busy is no failure: the next call looks again.
 * @throws what the job threw, after it was alerted of
 */
export async function runDue(cluster: Cluster, watch: Watch): Promise<DueReport> {
  const log: Log = line => watch.report({ fraction: null, step: line });
  const { name, engine } = cluster;
  try {
    return await engine.withLock('schedule', holder('run-due'), () => runLocked(cluster, watch, log));
  } catch (error) {
    if (!isBusy(error)) throw error;
    log(`busy: ${error.message}`);
    const alerts = await alertNow(cluster, log);
    return { cluster: name, job: null, outcome: 'busy', reason: error.message, alerts };
  }
}

/** A job that runs for long, or hangs, must not silence what there is to tell meanwhile: no backup for too long, for example. */
async function alertNow(cluster: Cluster, log: Log): Promise<string[]> {
  const { engine } = cluster;
  const evidence = await engine.evidence();
  const alerted = await sendAlerts(
    cluster,
    evidence,
    await recalled(cluster, nothingDue(evidence.observedAt), log),
    log,
  );
  await rememberDue(engine.memory, alerted.memory);
  return alerted.sent;
}

async function runLocked(cluster: Cluster, watch: Watch, log: Log): Promise<DueReport> {
  const { name, engine } = cluster;
  // What can't be tidied up must neither hold a backup up nor keep an alert from being sent.
  const failed = (error: unknown) => log(`tidying up failed: ${asHoldfastError(error).message}`);
  await engine.memory.rotateLogs().catch(failed);
  await tidy(cluster, log).catch(failed);
  const before = await engine.evidence();
  const memoryBefore = await recalled(cluster, nothingDue(before.observedAt), log);
  const ran = await runOne(cluster, before, memoryBefore, watch, log);
  const { job, outcome } = ran;
  const after = job === null || outcome === 'running' ? before : await engine.evidence();
  // While a job ran, others may have alerted.
  const recalledSince = job === null ? memoryBefore : await recalled(cluster, memoryBefore, log);
  let memory = withBegun(recalledSince, ran.begun);
  if (job !== null && (outcome === 'succeeded' || outcome === 'failed') && !watch.signal.aborted)
    memory = withOutcome(memory, job, failureOf(cluster, { ...ran, job }, after));
  memory = withUsage(memory, after);
  const alerted = await sendAlerts(cluster, after, memory, log);
  await rememberDue(engine.memory, alerted.memory).catch((error: unknown) =>
    log(`what this run did can’t be remembered: ${asHoldfastError(error).message}`),
  );
  if (outcome === 'failed') throw ran.failure;
  return { cluster: name, job, outcome, reason: ran.reason, alerts: alerted.sent };
}

/** What was remembered, or `otherwise`: that it can't be read holds no backup up, and at worst sends an alert again. */
async function recalled({ engine }: Cluster, otherwise: DueMemory, log: Log): Promise<DueMemory> {
  try {
    return await recallDue(engine.memory, otherwise.since);
  } catch (error) {
    log(`what earlier runs did can’t be read: ${asHoldfastError(error).message}`);
    return otherwise;
  }
}

/**
 * Why a job counts as failed; null when it doesn't. One that succeeded, and after which the reason for it is still there,
 * does: without the back-off the next call would run it again, and full backups would push all older ones out.
 */
function failureOf(
  { specification }: Cluster,
  { job, outcome, failure }: Ran & { readonly job: ScheduledJob },
  evidence: Evidence,
): Omit<Failure, 'count'> | null {
  const at = evidence.observedAt;
  if (outcome === 'failed') return { at, reason: asHoldfastError(failure).message };
  const still = missing(evidence, judge(evidence, limitsOf(specification.settings.backups)));
  return still?.job === job ? { at, reason: `it succeeded, and yet: ${still.reason}` } : null;
}
