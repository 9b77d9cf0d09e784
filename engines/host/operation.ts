import type { Operation, OperationState, Progress, Watch } from '../engine';

/**
 * An operation that this process itself carries out, from its first poll or wait on. (With pgBackRest nothing goes on
 * without us: what is found again after a crash is what lies on the disk, and `settle` and the locks see to it.)
 */
export function operation<T>(work: (watch: Watch) => Promise<T>): Operation<T> {
  let running: Promise<T> | undefined;
  let state: OperationState<T> = { state: 'running', progress: { fraction: null, step: 'starting' } };
  let report: (progress: Progress) => void = () => undefined;
  let failed = false;
  const cancel = new AbortController();

  const begin = (): Promise<T> => {
    running ??= work({
      report: progress => {
        if (state.state === 'running') state = { state: 'running', progress };
        report(progress);
      },
      signal: cancel.signal,
    }).then(result => {
      state = { state: 'done', result };
      return result;
    });
    // A failure is thrown where it is waited for; until then it isn't an unhandled one.
    running.catch(() => {
      failed = true;
    });
    return running;
  };

  return {
    poll: async () => {
      const begun = begin();
      if (failed) await begun;
      return state;
    },
    wait: async watch => {
      report = watch.report;
      const abort = (): void => cancel.abort(watch.signal.reason);
      if (watch.signal.aborted) abort();
      else watch.signal.addEventListener('abort', abort, { once: true });
      try {
        return await begin();
      } finally {
        watch.signal.removeEventListener('abort', abort);
      }
    },
  };
}
