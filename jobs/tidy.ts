import { milliseconds } from '../core/time';
import type { Clone, Engine } from '../engines/engine';
import type { Log } from './alert';
import { holder } from './backup';
import type { Cluster } from './cluster';
import { recallVerification } from './verification/progress';
import { isBusy } from './when-free';

/** Settles what interrupted jobs left, and drops clones that nobody wants any more. What is at work is left alone. */
export async function tidy({ engine }: Cluster, log: Log): Promise<void> {
  if (await engine.restoring())
    await ifFree(engine, 'restore', async () => {
      for (const settled of await engine.settle()) log(settled);
    });
  const found = await engine.clones();
  if (found.some(({ purpose }) => purpose === 'verification'))
    await ifFree(engine, 'verification', async () => {
      // One that is under way between two runs goes on with its clone.
      if ((await recallVerification(engine.memory)) !== null) return;
      for (const clone of await engine.clones())
        if (clone.purpose === 'verification') await drop(engine, clone, log);
    });
  const now = Date.now();
  for (const clone of found)
    // An incomplete one that is being made just now refuses to be dropped.
    if (
      clone.purpose !== 'verification' &&
      (clone.state === 'incomplete' || milliseconds(clone.expiresAt) <= now)
    )
      await drop(engine, clone, log);
}

async function drop(engine: Engine, clone: Clone, log: Log): Promise<void> {
  try {
    await engine.dropClone(clone.id);
    log(`dropped clone ${clone.id} (${clone.purpose}, ${clone.state}, expiry ${clone.expiresAt})`);
  } catch (error) {
    // It is being made just now.
    if (!isBusy(error)) throw error;
  }
}

async function ifFree(
  engine: Engine,
  lock: 'restore' | 'verification',
  use: () => Promise<void>,
): Promise<void> {
  try {
    await engine.withLock(lock, holder('run-due'), use);
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}
