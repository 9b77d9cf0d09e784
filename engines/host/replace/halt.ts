import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { clusterOf, type HostContext } from '../context';
import { waitingSegments } from '../evidence-server';
import { runningPostmaster } from '../postgres/data-directory';
import { stopServer } from '../postgres/server';
import { readJournal, removeJournal, writeJournal } from './journal';
import { assertSwappable } from './one-step';
import { startOriginal } from './start';

/**
 * Stops the cluster once its last WAL is in the repository: a clean shutdown archives all of it. What a cluster that is
 * down had not archived is archived from its files.
 *
 * @throws HoldfastError `refused` at once when nothing could take the cluster's place, `engine-failed` when some WAL can't be archived; a cluster that ran runs again then.
 */
export async function halt(context: HostContext): Promise<void> {
  const { paths, pgbackrest } = context;
  await assertSwappable(context);
  const wasRunning = (await runningPostmaster(paths.dataDirectory)) !== null;
  await writeJournal(context, { state: 'halted', wasRunning, swap: null });
  try {
    if (wasRunning) await stopServer(await context.installation(), paths);
    for (const segment of await waitingSegments(paths.dataDirectory).catch(() => []))
      await pgbackrest.run('archive-push', [
        '--no-archive-async',
        path.join(paths.dataDirectory, 'pg_wal', segment),
      ]);
  } catch (cause) {
    await resume(context);
    throw new HoldfastError(
      'engine-failed',
      `the last WAL of ${clusterOf(context)} can’t be archived${wasRunning ? ', so it was started again' : ''}: ${(cause as Error).message}`,
      { hint: 'Repair archiving, or restore to a time instead of the latest moment.', cause },
    );
  }
}

/** Starts a halted cluster again; does nothing when it isn't halted, or didn't run before. */
export async function resume(context: HostContext): Promise<boolean> {
  const journal = await readJournal(context);
  if (journal?.state !== 'halted') return false;
  if (journal.wasRunning) await startOriginal(context);
  await removeJournal(context);
  return journal.wasRunning;
}
