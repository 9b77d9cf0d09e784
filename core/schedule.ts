import { parseCron } from './cron';
import type { BackupKind, Evidence, Instant } from './evidence';
import type { BackupSettings } from './settings/stack';
import { isAhead, latest, milliseconds } from './time';

export type ScheduledJob = BackupKind | 'verification';
export type Schedules = BackupSettings['schedules'];
/** When each job was last done with success; a job that never was is left out. */
export type LastRuns = Partial<Record<ScheduledJob, Instant>>;

/** A job whose time has come. */
export interface Due {
  readonly job: ScheduledJob;
  /** The newest scheduled time that was not met. Older ones are not caught up: a missed time is made up for once. */
  readonly scheduledAt: Instant;
}

/** A backup also does what the kinds after it would do; listed from the one that does most. */
const kinds: readonly BackupKind[] = ['full', 'differential', 'incremental'];

/**
 * The one job to do now, or null. A backup comes before a verification, and a full one covers a differential or incremental
 * one that is due too. A last run that lies in the future (the clock was set back) doesn't count: pass what
 * `lastRuns` makes of the evidence, which leaves such runs out and so doesn't repeat a job for ever.
 * @param input.since when the schedule begins to count: earlier times were never promised.
 */
export function dueJobs(input: {
  readonly schedules: Schedules;
  readonly last: LastRuns;
  readonly since: Instant;
  readonly now: Instant;
}): Due | null {
  const { schedules, now } = input;
  const since = isAhead(input.since, now) ? now : input.since;
  const done = (jobs: readonly ScheduledJob[]) =>
    latest(jobs.flatMap(job => input.last[job] ?? []).filter(at => !isAhead(at, now)));
  const missed = (job: ScheduledJob, last: Instant | undefined): Due | null => {
    const scheduledAt = previousTime(schedules[job], now);
    if (scheduledAt === null) return null;
    const met = milliseconds(last ?? since) >= milliseconds(scheduledAt);
    return met || milliseconds(scheduledAt) < milliseconds(since) ? null : { job, scheduledAt };
  };

  for (const [index, kind] of kinds.entries()) {
    const due = missed(kind, done(kinds.slice(0, index + 1)));
    // Differential and incremental backups build on a full one: without any, that is what is due.
    if (due !== null) return done(['full']) === undefined ? { ...due, job: 'full' } : due;
  }
  return done(kinds) === undefined ? null : missed('verification', done(['verification']));
}

/** When each job was last done with success, as far as the evidence knows; what lies in its future is left out. */
export function lastRuns(evidence: Evidence): LastRuns {
  const { backups, observedAt } = evidence;
  const last: LastRuns = {};
  const newest = (instants: Instant[]) => latest(instants.filter(at => !isAhead(at, observedAt)));
  for (const kind of kinds) {
    const at = newest(
      backups.flatMap(set => (set.kind === kind && set.unusable === null ? [set.startedAt] : [])),
    );
    if (at !== undefined) last[kind] = at;
  }
  const verified = newest(
    backups.flatMap(({ verification }) => (verification?.result === 'passed' ? [verification.at] : [])),
  );
  if (verified !== undefined) last.verification = verified;
  return last;
}

/** When each job is next due; null for one that never is. */
export function nextRuns(schedules: Schedules, now: Instant): Record<ScheduledJob, Instant | null> {
  const next = (cron: string) =>
    cron === 'never' ? null : new Date(parseCron(cron).next(milliseconds(now))).toISOString();
  return {
    full: next(schedules.full),
    differential: next(schedules.differential),
    incremental: next(schedules.incremental),
    verification: next(schedules.verification),
  };
}

/** The newest scheduled time that is not after `now`. */
function previousTime(cron: string, now: Instant): Instant | null {
  return cron === 'never' ? null : new Date(parseCron(cron).latest(milliseconds(now))).toISOString();
}
