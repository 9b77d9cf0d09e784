import type { Operation, OperationState, Progress, Watch } from '../engines/engine';

/** How a job goes through what takes long: it waits for it, or only looks how far it is. */
export interface Pace extends Watch {
  /** Whether it only looks: what isn't done then is gone on with by a later run. */
  readonly looks: boolean;
  /** The result of an operation. @throws Unfinished when it is only looked at, and isn't done */
  readonly result: <T>(operation: Operation<T>) => Promise<T>;
}

/** Ends a look: the rest is left to a later one. It is no failure. */
export class Unfinished extends Error {
  constructor(readonly progress: Progress) {
    super(progress.step);
  }
}

/** To the end, however long that takes. */
export function waiting(watch: Watch): Pace {
  return { ...watch, looks: false, result: operation => operation.wait(watch) };
}

/** Shorter than the time between two runs of the timer. */
const lookSeconds = 240;

/**
 * A job as an operation. It is written once, as if it always waited; a look goes as far as it comes, and ends where it would
 * have to wait, or when its time is up. `signal` says so between two pieces of what it does itself.
 */
export function paced<T>(work: (pace: Pace) => Promise<T>, seconds = lookSeconds): Operation<T> {
  return {
    wait: watch => work(waiting(watch)),
    poll: () => look(work, seconds),
  };
}

async function look<T>(work: (pace: Pace) => Promise<T>, seconds: number): Promise<OperationState<T>> {
  const time = new AbortController();
  let last: Progress = { fraction: null, step: 'beginning' };
  const timer = setTimeout(() => time.abort(new Unfinished(last)), seconds * 1000).unref();
  try {
    const result = await work({
      looks: true,
      signal: time.signal,
      report: progress => {
        last = progress;
      },
      result: async operation => {
        const state = await operation.poll();
        if (state.state === 'done') return state.result;
        throw new Unfinished(state.progress);
      },
    });
    return { state: 'done', result };
  } catch (thrown) {
    if (!(thrown instanceof Unfinished)) throw thrown;
    return { state: 'running', progress: thrown.progress };
  } finally {
    clearTimeout(timer);
  }
}
