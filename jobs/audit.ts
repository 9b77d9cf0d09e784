import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { asHoldfastError } from '../core/errors';
import type { Instant } from '../core/evidence';

/** One line of audit.jsonl: who did what to which cluster, and what came of it. Never a secret. */
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

/** Appends a line in one write, so that lines of processes that run at the same time never mix. */
export async function appendAudit(directory: string, entry: AuditEntry): Promise<void> {
  const file = await fs.open(path.join(directory, 'audit.jsonl'), 'a', 0o600);
  try {
    await file.write(`${JSON.stringify(entry)}\n`);
    // A job that failed before it became the cluster's owner must not leave a log that the next ones can't append to.
    if (process.getuid?.() === 0) {
      const { uid, gid } = await fs.stat(directory);
      await file.chown(uid, gid);
    }
  } finally {
    await file.close();
  }
}

/**
 * Runs a job and records its outcome, whatever it is. `detail` makes the line's last part of the result. A cluster without
 * a directory yet has no audit log either: nothing was done to it.
 */
export async function audited<T>(
  directory: string,
  note: AuditNote,
  signal: AbortSignal,
  job: () => Promise<T>,
  detail: (result: T) => string | undefined = () => undefined,
): Promise<T> {
  const begun = Date.now();
  const record = async (outcome: AuditEntry['outcome'], text: string | undefined) =>
    appendAudit(directory, {
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
