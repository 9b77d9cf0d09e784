import { copyTroubles } from './copies';
import { formatDuration } from './durations';
import type { Evidence, Instant } from './evidence';
import type { Judgement, Limits } from './freshness';
import { isAhead, secondsBetween } from './time';

/** What can be wrong. The key tells one such thing from another; it stays the same while it lasts. */
export interface Condition {
  readonly key: string;
  readonly kind:
    'job-failing' | 'not-fresh' | 'backup-late' | 'copy-late' | 'repository-filling' | 'server-disk-filling';
  readonly message: string;
  readonly remedy: string;
}

/** What is sent. */
export interface Alert extends Condition {
  readonly cluster: string;
  readonly state: 'raised' | 'repeated' | 'resolved';
  /** Since when it is wrong. */
  readonly since: Instant;
}

/** What was raised and is not resolved, by key. Plain JSON, kept between runs. */
export type AlertMemory = Readonly<
  Record<string, { readonly condition: Condition; readonly since: Instant; readonly sentAt: Instant }>
>;

export interface JobFailure {
  readonly job: string;
  /** In a row. */
  readonly failures: number;
  readonly reason: string;
}

export interface AlertInput {
  readonly evidence: Evidence;
  readonly judgement: Judgement;
  readonly limits: Limits;
  /** Jobs whose last run failed. */
  readonly failures: readonly JobFailure[];
  /** By id of the repository: when it will be full (`fullOn`). */
  readonly fullOn: Readonly<Record<string, Instant | null>>;
  readonly memory: AlertMemory;
  /** Seconds after which what lasts is sent again. */
  readonly repeatAfter: number;
  readonly now: Instant;
}

/** A backup is late from this share of its maximum age on: early enough to act before the gate blocks. */
const lateShare = 0.8;
const fullWithinSeconds = 7 * 86_400;
const leastFreeShare = 0.1;
/** 32 segments of WAL. */
const leastServerBytes = 512 * 1024 * 1024;

/** The alerts to send now, and what to remember for the next time (once they are sent). */
export function decideAlerts(input: AlertInput): {
  readonly send: readonly Alert[];
  readonly memory: AlertMemory;
} {
  const { evidence, memory, now, repeatAfter } = input;
  const conditions = conditionsOf(input);
  const send: Alert[] = [];
  const next: Record<string, AlertMemory[string]> = {};
  for (const condition of conditions) {
    const known = Object.hasOwn(memory, condition.key) ? memory[condition.key] : undefined;
    const since = known?.since ?? now;
    // A time of sending that lies in the future (the clock was set back) must not silence an alert.
    const quiet =
      known !== undefined && !isAhead(known.sentAt, now) && secondsBetween(known.sentAt, now) < repeatAfter;
    if (!quiet)
      send.push({
        ...condition,
        cluster: evidence.cluster,
        state: known === undefined ? 'raised' : 'repeated',
        since,
      });
    next[condition.key] = { condition, since, sentAt: quiet ? known.sentAt : now };
  }
  for (const { condition, since } of Object.values(memory))
    if (!Object.hasOwn(next, condition.key))
      send.push({ ...condition, cluster: evidence.cluster, state: 'resolved', since });
  return { send, memory: next };
}

/** What is wrong now. */
export function conditionsOf(input: Omit<AlertInput, 'memory' | 'repeatAfter'>): Condition[] {
  return [
    ...failingJobs(input),
    ...notFresh(input),
    ...lateBackup(input),
    ...lateCopies(input),
    ...fillingRepositories(input),
    ...fillingServer(input),
  ];
}

type Input = Omit<AlertInput, 'memory' | 'repeatAfter'>;

function failingJobs({ failures, evidence }: Input): Condition[] {
  return failures.map(({ job, failures: count, reason }) => ({
    key: `job-failing:${job}`,
    kind: 'job-failing',
    message: `${job} failed${count > 1 ? ` ${count} times in a row` : ''}: ${reason}`,
    remedy: `holdfast status; it is tried again by itself, or at once by hand: holdfast ${job === 'verification' ? 'verify' : 'backup'} ${evidence.cluster}`,
  }));
}

/** While a cluster is first provisioned or adopted, the absence of a backup is no news. */
function notFresh({ judgement, evidence }: Input): Condition[] {
  if (judgement.letsThrough !== null) return [];
  const consequence = evidence.environment === 'production' ? ', so changes are blocked' : '';
  return judgement.findings
    .filter(({ verdict }) => verdict !== 'fresh')
    .map(({ rule, verdict, message, remedy }) => ({
      key: `not-fresh:${rule}`,
      kind: 'not-fresh',
      message: `${rule} is ${verdict}${consequence}: ${message}`,
      remedy: remedy ?? 'holdfast status',
    }));
}

/** Absence of success, said before the gate's limit is reached; past it, `not-fresh` says it. */
function lateBackup({ evidence, judgement, limits }: Input): Condition[] {
  const { newestUsable } = judgement;
  if (newestUsable === null) return [];
  const age = secondsBetween(newestUsable.stoppedAt, evidence.observedAt);
  if (age < limits.maximumAge * lateShare || age > limits.maximumAge) return [];
  return [
    {
      key: 'backup-late',
      kind: 'backup-late',
      message: `no backup succeeded for ${formatDuration(age)}; at most ${formatDuration(limits.maximumAge)} is allowed`,
      remedy: `holdfast backup ${evidence.cluster}`,
    },
  ];
}

function lateCopies({ evidence, limits }: Input): Condition[] {
  return copyTroubles(evidence, limits).map(({ place, message, remedy }) => ({
    key: `copy-late:${place}`,
    kind: 'copy-late',
    message,
    remedy,
  }));
}

function fillingRepositories({ evidence, fullOn, now }: Input): Condition[] {
  return evidence.repositories.flatMap(({ id, location, usedBytes, freeBytes }) => {
    if (freeBytes === null) return [];
    const full = Object.hasOwn(fullOn, id) ? (fullOn[id] ?? null) : null;
    const soon = full !== null && secondsBetween(now, full) < fullWithinSeconds;
    const share = freeBytes / (usedBytes + freeBytes);
    if (!soon && !(share < leastFreeShare)) return [];
    const reasons = [
      ...(share < leastFreeShare ? [`only ${Math.round(share * 100)} % are free`] : []),
      ...(soon ? [`it will be full on ${full.slice(0, 16)}Z`] : []),
    ];
    return [
      {
        key: `repository-filling:${id}`,
        kind: 'repository-filling' as const,
        message: `repository ${id} (${location}) is filling: ${reasons.join(', ')}`,
        remedy: 'give it more space, or keep fewer backups (backups.retention)',
      },
    ];
  });
}

function fillingServer({ evidence: { server } }: Input): Condition[] {
  const { freeBytes } = server;
  if (freeBytes === undefined || freeBytes >= leastServerBytes) return [];
  return [
    {
      key: 'server-disk-filling',
      kind: 'server-disk-filling',
      message: `the disk of the server’s WAL is filling: only ${Math.floor(freeBytes / 1e6)} MB are free, and without room PostgreSQL stops`,
      remedy:
        'give it more space; when WAL piles up because it can’t be archived, repair archiving (holdfast status)',
    },
  ];
}
