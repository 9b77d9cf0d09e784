import type { AlertMemory } from '../core/alerts';
import type { BackupKind, Evidence, Instant } from '../core/evidence';
import { fullOn, type Usage } from '../core/forecast';
import type { ScheduledJob } from '../core/schedule';
import { secondsBetween } from '../core/time';
import type { Memory } from '../engines/engine';

/** What run-due remembers between its runs. Losing it costs a repeated alert or an early attempt, no more. */
export interface DueMemory {
  readonly schema: 1;
  /** When the schedule began to count. */
  readonly since: Instant;
  /** A backup that was begun, and that the next run looks at; only where it goes on alone. */
  readonly begun?: Begun;
  /** Jobs whose last attempts failed. */
  readonly failures: Readonly<Partial<Record<ScheduledJob, Failure>>>;
  readonly alerts: AlertMemory;
  /** How full each repository was, by its id. */
  readonly usage: Readonly<Record<string, readonly Usage[]>>;
}

export interface Begun {
  readonly job: BackupKind;
  readonly at: Instant;
}

export interface Failure {
  /** In a row. */
  readonly count: number;
  readonly at: Instant;
  readonly reason: string;
}

const observationSeconds = 3600;
const observations = 200;

/** What a first run begins with. */
export function nothingDue(now: Instant): DueMemory {
  return { schema: 1, since: now, failures: {}, alerts: {}, usage: {} };
}

/** What was remembered. Nothing, or what can't be understood, counts as a first run. */
export async function recallDue(memory: Memory, now: Instant): Promise<DueMemory> {
  const first = nothingDue(now);
  const text = await memory.read('due');
  if (text === null) return first;
  try {
    const recalled = JSON.parse(text) as Partial<DueMemory> | null;
    return recalled?.schema === 1 ? { ...first, ...recalled } : first;
  } catch {
    return first;
  }
}

export function rememberDue(memory: Memory, due: DueMemory): Promise<void> {
  return memory.write('due', `${JSON.stringify(due)}\n`);
}

/** A backup is under way; or none is any more. */
export function withBegun(memory: DueMemory, begun: Begun | null): DueMemory {
  const { schema, since, failures, alerts, usage } = memory;
  return { schema, since, ...(begun === null ? {} : { begun }), failures, alerts, usage };
}

/** The job succeeded, or failed once more. */
export function withOutcome(
  memory: DueMemory,
  job: ScheduledJob,
  failure: { at: Instant; reason: string } | null,
): DueMemory {
  const { [job]: previous, ...others } = memory.failures;
  if (failure === null) return { ...memory, failures: others };
  return { ...memory, failures: { ...others, [job]: { ...failure, count: (previous?.count ?? 0) + 1 } } };
}

/**
 * With what the evidence says of the repositories now: one observation an hour is kept, for the forecast. A place without a
 * limit never fills.
 */
export function withUsage(memory: DueMemory, { observedAt, repositories }: Evidence): DueMemory {
  const limited = repositories.filter(({ freeBytes }) => freeBytes !== null);
  const usage = Object.fromEntries(
    limited.map(({ id, usedBytes }) => {
      const history = memory.usage[id] ?? [];
      const last = history.at(-1);
      const due = last === undefined || Math.abs(secondsBetween(last.at, observedAt)) >= observationSeconds;
      return [id, due ? [...history, { at: observedAt, usedBytes }].slice(-observations) : history];
    }),
  );
  return { ...memory, usage };
}

/** By id of the repository: when it will be full; null when it isn't filling, or that isn't known. */
export function forecast(
  { usage }: DueMemory,
  { observedAt, repositories }: Evidence,
): Record<string, Instant | null> {
  return Object.fromEntries(
    repositories.map(({ id, freeBytes }) => [id, fullOn(usage[id] ?? [], freeBytes, observedAt)]),
  );
}
