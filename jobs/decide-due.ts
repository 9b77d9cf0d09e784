import { mayAttempt, nextAttempt } from '../core/back-off';
import type { Evidence } from '../core/evidence';
import type { Judgement } from '../core/freshness';
import { dueJobs, lastRuns, type ScheduledJob, type Schedules } from '../core/schedule';
import { after, secondsBetween } from '../core/time';
import type { DueMemory } from './due-memory';

/** What a run of the schedule does, and why. */
export type DueDecision =
  | { readonly action: 'run'; readonly job: ScheduledJob; readonly reason: string }
  | { readonly action: 'wait'; readonly reason: string };

/**
 * The one thing to do now. What is missing altogether (a first backup, a first verification, a backup after a WAL gap) is
 * due at once; the rest when its time has come. What failed waits longer each time.
 */
export function decideDue(
  evidence: Evidence,
  judgement: Judgement,
  schedules: Schedules,
  memory: DueMemory,
): DueDecision {
  const now = evidence.observedAt;
  if (evidence.phase === 'none') return { action: 'wait', reason: 'the cluster is not provisioned' };
  if (evidence.server.state === 'stopped')
    return { action: 'wait', reason: 'the cluster is stopped; a schedule never starts it' };
  const identity = judgement.findings.find(({ rule }) => rule === 'identity');
  if (identity !== undefined && identity.verdict !== 'fresh')
    return { action: 'wait', reason: `nothing is backed up: ${identity.message}` };
  const due =
    missing(evidence, judgement) ??
    beforeChange(evidence, judgement) ??
    scheduled(evidence, schedules, memory);
  if (due === null) return { action: 'wait', reason: 'nothing is due' };
  const failure = memory.failures[due.job];
  if (failure !== undefined && !mayAttempt(failure.count, failure.at, now))
    return {
      action: 'wait',
      reason: `${due.job} is due, but failed ${failure.count} times; next attempt ${nextAttempt(failure.count, failure.at)}`,
    };
  return { action: 'run', ...due };
}

/** What is missing altogether, and the job that makes it good. */
export function missing(
  evidence: Evidence,
  { newestUsable }: Judgement,
): { job: ScheduledJob; reason: string } | null {
  if (newestUsable === null) return { job: 'full', reason: 'there is no usable backup' };
  const gap = evidence.archive?.gaps[0];
  if (gap !== undefined)
    return { job: 'full', reason: `WAL is missing from ${gap.from} on; a new backup makes it whole again` };
  const verified = evidence.backups.some(({ verification }) => verification !== null);
  if (!verified) return { job: 'verification', reason: 'no backup was ever verified' };
  return null;
}

/** So long before a pending change is applied its backup is taken: long enough for it to be done by then. */
const aheadSeconds = 3600;

/** A modification that is applied later than it was made gets a backup of its own: the one before it was made is old by then. */
function beforeChange(
  { pendingChange, observedAt }: Evidence,
  { newestUsable }: Judgement,
): { job: ScheduledJob; reason: string } | null {
  if (pendingChange === undefined) return null;
  const { at, what } = pendingChange;
  const from = after(at, -aheadSeconds);
  const isNear = secondsBetween(from, observedAt) >= 0;
  if (!isNear || (newestUsable !== null && secondsBetween(from, newestUsable.startedAt) >= 0)) return null;
  return { job: 'incremental', reason: `${what}, which is applied from ${at} on` };
}

function scheduled(
  evidence: Evidence,
  schedules: Schedules,
  memory: DueMemory,
): { job: ScheduledJob; reason: string } | null {
  const now = evidence.observedAt;
  // Losing the memory must not forgive what was missed: there was a schedule since the first backup at the latest.
  const [first] = evidence.backups;
  const since =
    first !== undefined && secondsBetween(first.startedAt, memory.since) > 0 ? first.startedAt : memory.since;
  const due = dueJobs({ schedules, last: lastRuns(evidence), since, now });
  return due === null ? null : { job: due.job, reason: `it was due at ${due.scheduledAt}` };
}
