import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../core/errors';
import type { Watch } from '../engines/engine';

const pollMilliseconds = 1000;
/** A backup that runs longer than this doesn't hold a change up silently for ever. */
const deadlineMilliseconds = 4 * 3600 * 1000;

/**
 * Runs `use`, and as long as that is refused because the cluster is locked, again. Another process holds the lock, so there
 * is no event to wait for. `use` is told whether it had to wait.
 * @throws HoldfastError `busy` after four hours
 */
export async function whenFree<T>(use: (waited: boolean) => Promise<T>, watch: Watch): Promise<T> {
  const deadline = Date.now() + deadlineMilliseconds;
  let said = '';
  for (let waited = false; ; waited = true) {
    try {
      return await use(waited);
    } catch (error) {
      if (!isBusy(error) || Date.now() > deadline) throw error;
      if (error.message !== said) watch.report({ fraction: null, step: `waiting: ${error.message}` });
      said = error.message;
    }
    await sleep(pollMilliseconds, undefined, { signal: watch.signal });
  }
}

export function isBusy(error: unknown): error is HoldfastError {
  return error instanceof HoldfastError && error.code === 'busy';
}
