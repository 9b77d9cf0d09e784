import { HoldfastError } from '../core/errors';
import type { Evidence, Instant } from '../core/evidence';
import { judge, limitsOf } from '../core/freshness';
import type { ScheduledJob } from '../core/schedule';
import { secondsBetween } from '../core/time';
import type { OperationState, Watch } from '../engines/engine';
import type { Log } from './alert';
import { backup } from './backup';
import type { Cluster } from './cluster';
import { decideDue } from './decide-due';
import { rememberDue, withBegun, type Begun, type DueMemory } from './due-memory';
import { recallVerification } from './verification/progress';
import { verify } from './verify';
import { isBusy } from './when-free';

/** What a run of the schedule did. */
export interface Ran {
  readonly job: ScheduledJob | null;
  readonly outcome: 'succeeded' | 'failed' | 'busy' | 'running' | 'nothing';
  readonly reason: string;
  /** What the job threw. */
  readonly failure: unknown;
  /** The backup that is under way now. */
  readonly begun: Begun | null;
}

/** What a run of the schedule is to do. */
type Next =
  | { readonly job: 'verification'; readonly reason: string }
  | { readonly job: Begun['job']; readonly reason: string; readonly begun: Begun }
  | { readonly job: null; readonly reason: string };

/** A backup that was begun so long ago is given up. */
const mostSeconds = 24 * 3600;

/** Begins the one job that is due, or goes on with the one that is under way. */
export async function runOne(
  cluster: Cluster,
  evidence: Evidence,
  memory: DueMemory,
  watch: Watch,
  log: Log,
): Promise<Ran> {
  const next = await nextJob(cluster, evidence, memory);
  const { job, reason } = next;
  const begun = 'begun' in next ? next.begun : null;
  if (job === null) {
    log(reason);
    return { job, outcome: 'nothing', reason, failure: null, begun };
  }
  log(`running ${job}: ${reason}`);
  try {
    const state = await carryOut(cluster, next, evidence, memory, watch);
    if (state.state === 'done') return { job, outcome: 'succeeded', reason, failure: null, begun: null };
    log(`${job} is under way: ${state.progress.step}`);
    return { job, outcome: 'running', reason, failure: null, begun };
  } catch (failure) {
    if (!isBusy(failure)) return { job, outcome: 'failed', reason, failure, begun: null };
    log(`busy: ${failure.message}`);
    return { job, outcome: 'busy', reason: failure.message, failure: null, begun: memory.begun ?? null };
  }
}

/** A backup before a verification that is under way: that may take hours, and its clone goes on alone. */
async function nextJob(cluster: Cluster, evidence: Evidence, memory: DueMemory): Promise<Next> {
  const { begun } = memory;
  if (begun !== undefined) return { job: begun.job, reason: `it was begun at ${begun.at}`, begun };
  const { backups } = cluster.specification.settings;
  const decision = decideDue(evidence, judge(evidence, limitsOf(backups)), backups.schedules, memory);
  if (decision.action === 'run' && decision.job !== 'verification')
    return { ...decision, job: decision.job, begun: { job: decision.job, at: evidence.observedAt } };
  const underWay = await recallVerification(cluster.engine.memory);
  if (underWay !== null) return { job: 'verification', reason: `it was begun at ${underWay.at}` };
  if (decision.action === 'run') return { job: 'verification', reason: decision.reason };
  return { job: null, reason: decision.reason };
}

async function carryOut(
  cluster: Cluster,
  next: Exclude<Next, { job: null }>,
  { observedAt }: Evidence,
  memory: DueMemory,
  watch: Watch,
): Promise<OperationState<unknown>> {
  const { memory: kept, goesOnAlone } = cluster.engine;
  const operation =
    next.job === 'verification' ? verify(cluster) : backup(cluster, { kind: next.job, begun: next.begun.at });
  if (!goesOnAlone) return { state: 'done', result: await operation.wait(watch) };
  if (next.job !== 'verification') {
    refuseOverdue(next.begun, observedAt);
    // Before it begins: whatever ends this run, the next one finds it.
    if (memory.begun === undefined) await rememberDue(kept, withBegun(memory, next.begun));
  }
  return operation.poll();
}

function refuseOverdue({ job, at }: Begun, now: Instant): void {
  if (secondsBetween(at, now) <= mostSeconds) return;
  throw new HoldfastError('engine-failed', `${job} was begun at ${at}, isn’t done, and is given up`, {
    hint: 'What holds it up? When it is done after all, it counts.',
  });
}
