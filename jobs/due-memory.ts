import fs from 'node:fs/promises';
import path from 'node:path';
import type { AlertMemory } from '../core/alerts';
import type { Evidence, Instant } from '../core/evidence';
import { fullOn, type Usage } from '../core/forecast';
import type { ScheduledJob } from '../core/schedule';
import { secondsBetween } from '../core/time';
import { writeAtomically } from './files';

/** What run-due remembers between its runs, in due.json. Losing it costs a repeated alert or an early attempt, no more. */
export interface DueMemory {
  readonly schema: 1;
  /** When the schedule began to count. */
  readonly since: Instant;
  /** Jobs whose last attempts failed. */
  readonly failures: Readonly<Partial<Record<ScheduledJob, Failure>>>;
  readonly alerts: AlertMemory;
  /** How full each repository was, by its id. */
  readonly usage: Readonly<Record<string, readonly Usage[]>>;
}

export interface Failure {
  /** In a row. */
  readonly count: number;
  readonly at: Instant;
  readonly reason: string;
}

const observationSeconds = 3600;
const observations = 200;

const file = (directory: string): string => path.join(directory, 'due.json');

/** What a first run begins with. */
export function nothingDue(now: Instant): DueMemory {
  return { schema: 1, since: now, failures: {}, alerts: {}, usage: {} };
}

/** What was remembered. A file that isn't there, or can't be understood, counts as nothing. */
export async function recallDue(directory: string, now: Instant): Promise<DueMemory> {
  const first = nothingDue(now);
  let text: string;
  try {
    text = await fs.readFile(file(directory), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return first;
    throw error;
  }
  try {
    const memory = JSON.parse(text) as Partial<DueMemory> | null;
    return memory?.schema === 1 ? { ...first, ...memory } : first;
  } catch {
    return first;
  }
}

export function rememberDue(directory: string, memory: DueMemory): Promise<void> {
  return writeAtomically(file(directory), `${JSON.stringify(memory)}\n`);
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

/** With what the evidence says of the repositories now: one observation an hour is kept, for the forecast. */
export function withUsage(memory: DueMemory, { observedAt, repositories }: Evidence): DueMemory {
  const usage = Object.fromEntries(
    repositories.map(({ id, usedBytes }) => {
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
