import fs from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { readIfThere, syncDirectory, writeAtomically } from '../files';
import type { HostContext } from '../context';

/*
 * `swap.json`: how far a restore has come, so that one that was killed can be finished or undone. Each state is on the
 * disk before what it names begins.
 *
 *   halted     the original is stopped for a restore to the latest moment           → start it again
 *   stopping   original and clone are being stopped                                 → start the original again
 *   moving     the original's data goes aside, the clone's data into its place      → put both back, start the original
 *   starting   the restored cluster is configured and started                       → finish; undo when that fails
 *   finishing  it runs and may have been written to; its WAL is being archived       → finish, never undo
 *   undoing    the original is being put back                                       → go on with that
 */

const journal = z.strictObject({
  schema: z.literal(1),
  state: z.enum(['halted', 'stopping', 'moving', 'starting', 'finishing', 'undoing']),
  at: z.iso.datetime(),
  /** Of the process that wrote it, for a person. */
  pid: z.number().int(),
  /** Whether the original ran before. */
  wasRunning: z.boolean(),
  /** Null while there is only a halt. */
  swap: z
    .strictObject({
      clone: z.string().min(1),
      aside: z.string().min(1),
      systemIdentifier: z.string(),
      /** Whether there was an original to be kept. */
      hadData: z.boolean(),
    })
    .nullable(),
});

export type Journal = Readonly<z.output<typeof journal>>;

export function journalFile({ paths }: Pick<HostContext, 'paths'>): string {
  return path.join(paths.root, 'swap.json');
}

/** What a restore wrote down; null when none is under way. Throws when it can't be read: then nothing is touched. */
export async function readJournal(context: Pick<HostContext, 'paths'>): Promise<Journal | null> {
  const text = await readIfThere(journalFile(context));
  return text === null ? null : journal.parse(JSON.parse(text));
}

export async function writeJournal(
  context: Pick<HostContext, 'paths'>,
  entry: Pick<Journal, 'state' | 'wasRunning' | 'swap'>,
): Promise<Journal> {
  const value: Journal = { schema: 1, at: new Date().toISOString(), pid: process.pid, ...entry };
  await writeAtomically(journalFile(context), `${JSON.stringify(value, null, 2)}\n`);
  return value;
}

export async function removeJournal(context: Pick<HostContext, 'paths'>): Promise<void> {
  await fs.rm(journalFile(context), { force: true });
  await syncDirectory(context.paths.root);
}
