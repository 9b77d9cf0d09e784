import { decideAlerts } from '../core/alerts';
import { asHoldfastError } from '../core/errors';
import type { Evidence } from '../core/evidence';
import { judge, limitsOf, type Judgement } from '../core/freshness';
import type { ScheduledJob } from '../core/schedule';
import type { Watch } from '../engines/engine';
import { beat, sendAlert, type Log } from './alert';
import { backup, holder } from './backup';
import type { Cluster } from './cluster';
import { decideDue, missing } from './decide-due';
import {
  forecast,
  nothingDue,
  recallDue,
  rememberDue,
  withOutcome,
  withUsage,
  type DueMemory,
  type Failure,
} from './due-memory';
import { rotateLogs } from './logs';
import { tidy } from './tidy';
import { verify } from './verify';
import { isBusy } from './when-free';

export interface DueReport {
  readonly cluster: string;
  /** What was run; null when nothing was. */
  readonly job: ScheduledJob | null;
  readonly outcome: 'succeeded' | 'failed' | 'busy' | 'nothing';
  readonly reason: string;
  /** Keys of the alerts that were sent. */
  readonly alerts: readonly string[];
}

/**
 * What the timer calls every few minutes: settles what an interrupted job left, drops expired clones, runs the one job that
 * is due, and tells who is to be told. Busy is no failure: the next call looks again.
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
  const { directory, engine } = cluster;
  const evidence = await engine.evidence();
  const alerted = await alert(
    cluster,
    evidence,
    await recalled(directory, nothingDue(evidence.observedAt), log),
    log,
  );
  await rememberDue(directory, alerted.memory);
  return alerted.sent;
}

interface Ran {
  readonly job: ScheduledJob | null;
  readonly outcome: DueReport['outcome'];
  readonly reason: string;
  /** What the job threw. */
  readonly failure: unknown;
}

async function runLocked(cluster: Cluster, watch: Watch, log: Log): Promise<DueReport> {
  const { name, directory, engine } = cluster;
  // What can't be tidied up must neither hold a backup up nor keep an alert from being sent.
  const failed = (error: unknown) => log(`tidying up failed: ${asHoldfastError(error).message}`);
  await rotateLogs(directory).catch(failed);
  await tidy(cluster, log).catch(failed);
  const before = await engine.evidence();
  const memoryBefore = await recalled(directory, nothingDue(before.observedAt), log);
  const ran = await runOne(cluster, before, memoryBefore, watch, log);
  const after = ran.job === null ? before : await engine.evidence();
  // Again: while the job ran, others may have alerted.
  let memory = await recalled(directory, memoryBefore, log);
  if (ran.job !== null && ran.outcome !== 'busy' && !watch.signal.aborted)
    memory = withOutcome(memory, ran.job, failureOf(cluster, { ...ran, job: ran.job }, after));
  memory = withUsage(memory, after);
  const alerted = await alert(cluster, after, memory, log);
  await rememberDue(directory, alerted.memory).catch((error: unknown) =>
    log(`what this run did can’t be remembered: ${asHoldfastError(error).message}`),
  );
  if (ran.outcome === 'failed') throw ran.failure;
  return { cluster: name, job: ran.job, outcome: ran.outcome, reason: ran.reason, alerts: alerted.sent };
}

/** What was remembered, or `otherwise`: that it can't be read holds no backup up, and at worst sends an alert again. */
async function recalled(directory: string, otherwise: DueMemory, log: Log): Promise<DueMemory> {
  try {
    return await recallDue(directory, otherwise.since);
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
  cluster: Cluster,
  { job, outcome, failure }: Ran & { readonly job: ScheduledJob },
  evidence: Evidence,
): Omit<Failure, 'count'> | null {
  const at = evidence.observedAt;
  if (outcome === 'failed') return { at, reason: asHoldfastError(failure).message };
  const still = missing(evidence, judgementOf(cluster, evidence));
  return still?.job === job ? { at, reason: `it succeeded, and yet: ${still.reason}` } : null;
}

async function runOne(
  cluster: Cluster,
  evidence: Evidence,
  memory: DueMemory,
  watch: Watch,
  log: Log,
): Promise<Ran> {
  const { schedules } = cluster.specification.settings.backups;
  const decision = decideDue(evidence, judgementOf(cluster, evidence), schedules, memory);
  if (decision.action === 'wait') {
    log(decision.reason);
    return { job: null, outcome: 'nothing', reason: decision.reason, failure: null };
  }
  const { job, reason } = decision;
  log(`running ${job}: ${reason}`);
  try {
    if (job === 'verification') await verify(cluster, watch);
    else await backup(cluster, { kind: job }, watch);
    return { job, outcome: 'succeeded', reason, failure: null };
  } catch (failure) {
    if (!isBusy(failure)) return { job, outcome: 'failed', reason, failure };
    log(`busy: ${failure.message}`);
    return { job, outcome: 'busy', reason: failure.message, failure: null };
  }
}

/** Sends what is to be sent. What reached nobody is not remembered as sent, so that the next run tries again. */
async function alert(
  cluster: Cluster,
  evidence: Evidence,
  memory: DueMemory,
  log: Log,
): Promise<{ memory: DueMemory; sent: string[] }> {
  const { specification } = cluster;
  const judgement = judgementOf(cluster, evidence);
  const now = evidence.observedAt;
  const failures = Object.entries(memory.failures).map(([job, failure]) => ({
    job,
    failures: failure.count,
    reason: failure.reason,
  }));
  const decided = decideAlerts({
    evidence,
    judgement,
    limits: limitsOf(specification.settings.backups),
    failures,
    fullOn: forecast(memory, evidence),
    memory: memory.alerts,
    repeatAfter: specification.alerts.repeatAfter,
    now,
  });
  const alerts = { ...decided.memory };
  const sent: string[] = [];
  for (const each of decided.send) {
    log(`alert (${each.state}): ${each.message} → ${each.remedy}`);
    if (await sendAlert(each, specification.environment, specification.alerts, log)) {
      sent.push(each.key);
      continue;
    }
    const known = memory.alerts[each.key];
    if (known === undefined) Reflect.deleteProperty(alerts, each.key);
    else alerts[each.key] = known;
  }
  if (judgement.verdict === 'fresh' && failures.length === 0) await beat(specification.alerts, log);
  return { memory: { ...memory, alerts }, sent };
}

function judgementOf({ specification }: Cluster, evidence: Evidence): Judgement {
  return judge(evidence, limitsOf(specification.settings.backups));
}
