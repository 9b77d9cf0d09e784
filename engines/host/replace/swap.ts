import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import type { Clone, Replacement, Watch } from '../../engine';
import { clusterOf, type HostContext } from '../context';
import { clonePaths, placeOf, readEntry, removeClone } from '../clone/catalog';
import { controlData } from '../clone/control-data';
import { stopClone } from '../clone/server';
import { exists, syncDirectory } from '../files';
import { dataVersion, runningPostmaster, systemIdentifierOf } from '../postgres/data-directory';
import { stopServer } from '../postgres/server';
import { readRecord } from '../record';
import { markRestorePoint } from '../restore-point';
import { onlyRow, withServer } from '../session';
import { archiveNewTimeline, configureRestored, returnTablespaces, takeTablespaces } from './configure';
import { readJournal, removeJournal, writeJournal, type Journal } from './journal';
import { deviceOf } from './one-step';
import { startOriginal } from './start';

/** Told of each state once it is on the disk: tests interrupt there. */
export type Observe = (state: Journal['state']) => void;

type Swap = NonNullable<Journal['swap']>;

/** Puts a clone in the place of the original, which is kept aside. */
export async function replaceWith(
  context: HostContext,
  clone: Clone,
  { report, signal }: Watch,
  observe: Observe = () => undefined,
): Promise<Replacement> {
  const systemIdentifier = await assertReplaceable(context, clone.id);
  const before = await readJournal(context);
  if (before !== null && before.state !== 'halted')
    throw new HoldfastError('refused', `an earlier restore of ${clusterOf(context)} is not settled yet`, {
      hint: 'Run the restore again: it first finishes or undoes the earlier one.',
    });
  signal.throwIfAborted();
  const wasRunning = before?.wasRunning ?? (await runningPostmaster(context.paths.dataDirectory)) !== null;
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const swap: Swap = {
    clone: clone.id,
    aside: path.join(placeOf(context, clone.id).aside, stamp),
    systemIdentifier,
    hadData: await exists(context.paths.dataDirectory),
  };
  const enter = async (state: Journal['state']): Promise<void> => {
    await writeJournal(context, { state, wasRunning, swap });
    observe(state);
  };
  try {
    await enter('stopping');
    report({ fraction: null, step: 'stopping the original' });
    await stopServer(await context.installation(), context.paths);
    await stopCloneCleanly(context, clone.id);
    await enter('moving');
    await moveIntoPlace(context, swap);
    await enter('starting');
    report({ fraction: null, step: 'starting the restored cluster' });
    await startRestored(context, swap);
  } catch (error) {
    report({ fraction: null, step: 'putting the original back' });
    await undo(context, { wasRunning, swap });
    throw error;
  }
  await enter('finishing');
  report({ fraction: null, step: 'archiving the new timeline' });
  await finish(context, swap);
  return { keptAside: swap.aside };
}

/** The system identifier of a clone that can take the original's place. */
async function assertReplaceable(context: HostContext, id: string): Promise<string> {
  const { paths } = context;
  const clone = clonePaths(context, id);
  const refuse = (what: string, hint: string): HoldfastError =>
    new HoldfastError('refused', `clone ${id} can’t take the place of ${clusterOf(context)}: ${what}`, {
      hint: `${hint} Nothing was changed.`,
    });
  const entry = await readEntry(clone);
  if (entry?.ready !== true) throw refuse('it is incomplete', 'Drop it and restore again.');
  const [own, found, record] = await Promise.all([
    systemIdentifierOf(clone.dataDirectory),
    systemIdentifierOf(paths.dataDirectory),
    readRecord(paths),
  ]);
  // Where the data is lost, the record still knows whose it was.
  const original = found ?? record?.systemIdentifier ?? null;
  if (own === null) throw refuse('it holds no data', 'Drop it and restore again.');
  if (original !== null && original !== own)
    throw refuse(
      `it is of another cluster (system identifier ${own}, the original’s is ${original})`,
      'Restore from the repository of this cluster.',
    );
  const { aside } = placeOf(context, id);
  await fs.mkdir(aside, { recursive: true, mode: 0o700 });
  const devices = await Promise.all(
    [clone.dataDirectory, aside, path.dirname(paths.dataDirectory), paths.dataDirectory].map(deviceOf),
  );
  if (new Set(devices.filter(device => device !== null)).size > 1)
    throw refuse(
      `${paths.dataDirectory} is a mount point, or on another file system than ${clone.root}, so data can’t be moved in one step`,
      `Bring the cluster back by hand from ${clone.dataDirectory} (docs/operations.md), or put both on one file system.`,
    );
  return own;
}

/** A clean shutdown leaves nothing to recover: the moved data starts as it is. */
async function stopCloneCleanly(context: HostContext, id: string): Promise<void> {
  const clone = clonePaths(context, id);
  await stopClone(context, clone, 'fast');
  const { state } = await controlData((await context.installation()).bin, clone.dataDirectory);
  if (state !== 'shut down')
    throw new HoldfastError('engine-failed', `the clone ${id} did not shut down cleanly (${state})`, {
      hint: `Its log is ${clone.serverLog}.`,
    });
}

const keptData = (swap: Swap): string => path.join(swap.aside, 'data');

async function moveIntoPlace(context: HostContext, swap: Swap): Promise<void> {
  const { dataDirectory } = context.paths;
  const clone = clonePaths(context, swap.clone);
  await fs.mkdir(swap.aside, { recursive: true, mode: 0o700 });
  // A cluster whose data is lost has nothing to be kept.
  if (await exists(dataDirectory)) await fs.rename(dataDirectory, keptData(swap));
  await fs.rename(clone.dataDirectory, dataDirectory);
  await Promise.all([swap.aside, path.dirname(dataDirectory), clone.root].map(syncDirectory));
}

/** Configures and starts what was moved into place; can be repeated. */
async function startRestored(context: HostContext, swap: Swap): Promise<void> {
  await takeTablespaces(context, swap.clone);
  await configureRestored(context, clonePaths(context, swap.clone), keptData(swap));
  await startOriginal(context);
  await withServer(context.server, 'postgres', async session => {
    const row = await onlyRow<{ identifier: string; recovering: boolean }>(
      session,
      'select system_identifier::text as identifier, pg_is_in_recovery() as recovering from pg_control_system()',
    );
    if (row.identifier !== swap.systemIdentifier || row.recovering)
      throw new HoldfastError('engine-failed', 'the server that started is not the restored cluster', {
        hint: 'Does another server use its port or socket?',
      });
  });
}

/** What is left once the restored cluster runs; can be repeated. Failing, the cluster goes on running. */
async function finish(context: HostContext, swap: Swap): Promise<void> {
  await archiveNewTimeline(context);
  try {
    await markRestorePoint(context, 'holdfast restore', false);
  } catch (cause) {
    throw new HoldfastError(
      'engine-failed',
      `${clusterOf(context)} is restored and running (old data: ${swap.aside}), but its WAL isn’t archived: ${(cause as Error).message}`,
      { hint: 'Repair archiving, then run the restore again: it only finishes this one.', cause },
    );
  }
  await removeClone(context, clonePaths(context, swap.clone));
  await removeJournal(context);
}

/**
 * Whether what is in the cluster's place is the clone: the original is aside then. That the clone isn't in its own place
 * says nothing, because somebody may have removed it.
 */
async function isInPlace(context: HostContext, swap: Swap): Promise<boolean> {
  const { dataDirectory } = context.paths;
  if (await exists(clonePaths(context, swap.clone).dataDirectory)) return false;
  if (swap.hadData && !(await exists(keptData(swap)))) return false;
  return (await dataVersion(dataDirectory).catch(() => 0)) !== null;
}

/** Puts the original back, from wherever a swap was left; can be repeated. */
async function undo(
  context: HostContext,
  { swap, wasRunning }: { readonly swap: Swap; readonly wasRunning: boolean },
): Promise<void> {
  const { dataDirectory } = context.paths;
  const clone = clonePaths(context, swap.clone);
  await writeJournal(context, { state: 'undoing', wasRunning, swap });
  if (await isInPlace(context, swap)) {
    await stopServer(await context.installation(), context.paths, 'fast');
    await fs.mkdir(clone.root, { recursive: true, mode: 0o700 });
    await fs.rename(dataDirectory, clone.dataDirectory);
    await returnTablespaces(context, swap.clone);
  }
  if (await exists(keptData(swap))) {
    await fs.rename(keptData(swap), dataDirectory);
    await syncDirectory(path.dirname(dataDirectory));
  }
  await fs.rm(swap.aside, { recursive: true, force: true });
  if (wasRunning) await startOriginal(context);
  await removeJournal(context);
}

/**
 * Finishes or undoes what an interrupted restore left. To be called with the cluster's restore lock held: then no other
 * restore is under way.
 * @returns what it did, one sentence each.
 */
export async function settle(context: HostContext): Promise<readonly string[]> {
  const journal = await readJournal(context);
  if (journal === null) return [];
  const name = clusterOf(context);
  if (journal.swap === null) {
    if (journal.wasRunning) await startOriginal(context);
    await removeJournal(context);
    return [`${name} was stopped for a restore that was interrupted: it is as before`];
  }
  const { swap, wasRunning } = journal;
  if (journal.state === 'starting' || journal.state === 'finishing') {
    try {
      await startRestored(context, swap);
      await writeJournal(context, { state: 'finishing', wasRunning, swap });
    } catch (error) {
      if (journal.state === 'finishing') throw error;
      await undo(context, { swap, wasRunning });
      return [
        `an interrupted restore of ${name} was undone, because the restored cluster did not start: ${(error as Error).message}`,
      ];
    }
    await finish(context, swap);
    return [`an interrupted restore of ${name} was finished; the old data is in ${swap.aside}`];
  }
  await undo(context, { swap, wasRunning });
  return [`an interrupted restore of ${name} was undone: the original is in its place`];
}
