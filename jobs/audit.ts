import os from 'node:os';
import { asHoldfastError } from '../core/errors';
import type { Instant } from '../core/evidence';
import type { Memory } from '../engines/engine';
import { Unfinished } from './pace';

/** One line of a cluster’s audit log: who did what to which cluster, and what came of it. Never a secret. */
export interface AuditEntry {
  readonly at: Instant;
  readonly who: string;
  readonly what: string;
  readonly cluster: string;
  readonly changeId?: string;
  readonly outcome: 'succeeded' | 'failed' | 'refused' | 'busy' | 'interrupted';
  readonly durationSeconds: number;
  /** What was made, or why it failed. */
  readonly detail?: string;
}

/** What a job tells the audit beyond its outcome. */
export interface AuditNote {
  readonly what: string;
  readonly cluster: string;
  readonly changeId?: string;
}

/** The person behind the command, as far as the machine knows: who became root by sudo counts, not root. */
export function requester(env: NodeJS.ProcessEnv = process.env): string {
  const user = env.HOLDFAST_REQUESTER ?? env.SUDO_USER ?? env.USER ?? env.LOGNAME ?? systemUser();
  return user.includes('@') ? user : `${user}@${os.hostname()}`;
}

/** The name of the user that runs this; its number where it has none, as in a container. */
function systemUser(): string {
  try {
    return os.userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}

/** @returns false for a cluster that was never provisioned: it has no audit log. */
export function appendAudit(memory: Memory, entry: AuditEntry): Promise<boolean> {
  return memory.appendAudit(JSON.stringify(entry));
}

/**
 * Runs a job and records its outcome, whatever it is. `detail` makes the line's last part of the result. One that is left to
 * a later run has none yet.
 */
export async function audited<T>(
  memory: Memory,
  note: AuditNote,
  signal: AbortSignal,
  job: () => Promise<T>,
  detail: (result: T) => string | undefined = () => undefined,
): Promise<T> {
  const begun = Date.now();
  const record = async (outcome: AuditEntry['outcome'], text: string | undefined) =>
    appendAudit(memory, {
      at: new Date().toISOString(),
      who: requester(),
      ...note,
      outcome,
      durationSeconds: Math.round((Date.now() - begun) / 100) / 10,
      ...(text === undefined ? {} : { detail: text }),
    });
  let result: T;
  try {
    result = await job();
  } catch (thrown) {
    if (thrown instanceof Unfinished) throw thrown;
    const error = asHoldfastError(thrown);
    const outcome = signal.aborted
      ? 'interrupted'
      : error.code === 'busy'
        ? 'busy'
        : error.code === 'refused'
          ? 'refused'
          : 'failed';
    // The job's own failure is what its caller must see, also where the disk is too full for a line about it.
    await record(outcome, error.message).catch(() => undefined);
    throw thrown;
  }
  await record('succeeded', detail(result));
  return result;
}
