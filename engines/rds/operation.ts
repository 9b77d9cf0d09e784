import { setTimeout as sleep } from 'node:timers/promises';
import { formatDuration } from '../../core/durations';
import { asHoldfastError, HoldfastError } from '../../core/errors';
import type { Operation, OperationState, Progress, Watch } from '../engine';
import type { RdsContext } from './context';

/** What AWS carries out, and goes on with whether we look or not. `Begun` is what it is found by. */
export interface Work<Begun, Result> {
  /** For a person: "the snapshot of shop". */
  readonly what: string;
  /** Begins it; or finds what was begun before, by this process or another. */
  begin(report: (progress: Progress) => void): Promise<Begun>;
  /** How far it is, in few calls; finishes what is to be done once AWS is ready. */
  look(begun: Begun): Promise<OperationState<Result>>;
  /** Takes back what was begun, when the one who waits for it gives up; default: AWS goes on alone. */
  cancel?(begun: Begun): Promise<void>;
}

/** An operation that AWS carries out: `poll` looks once, `wait` looks until it is done, fails, or took too long. */
export function operation<Begun, Result>(
  { pollSeconds, settings }: Pick<RdsContext, 'pollSeconds' | 'settings'>,
  work: Work<Begun, Result>,
): Operation<Result> {
  let begun: { readonly value: Begun } | undefined;
  const begin = async (report: (progress: Progress) => void): Promise<Begun> => {
    begun ??= { value: await work.begin(report) };
    return begun.value;
  };
  return {
    poll: async () => work.look(await begin(() => undefined)),
    wait: async ({ report, signal }) => {
      signal.throwIfAborted();
      const value = await begin(report);
      const deadline = performance.now() + settings.waitUpTo * 1000;
      for (;;) {
        const state = await lookPatiently(work, value, report);
        if (state.state === 'done') return state.result;
        report(state.progress);
        if (performance.now() > deadline) throw tookTooLong(work.what, settings.waitUpTo);
        await sleep(pollSeconds * 1000, undefined, { signal }).catch(() => undefined);
        if (!signal.aborted) continue;
        await work.cancel?.(value);
        signal.throwIfAborted();
      }
    },
  };
}

/** In hours of waiting AWS may once not answer: the next look tells. */
async function lookPatiently<Begun, Result>(
  work: Work<Begun, Result>,
  begun: Begun,
  report: Watch['report'],
): Promise<OperationState<Result>> {
  try {
    return await work.look(begun);
  } catch (thrown) {
    const error = asHoldfastError(thrown);
    if (error.code !== 'busy') throw error;
    report({ fraction: null, step: error.message });
    return { state: 'running', progress: { fraction: null, step: `waiting for ${work.what}` } };
  }
}

function tookTooLong(what: string, seconds: number): HoldfastError {
  return new HoldfastError(
    'busy',
    `${what} took longer than ${formatDuration(seconds)}; AWS goes on with it`,
    {
      hint: 'The same command finds it again. `waitUpTo` says how long is waited.',
    },
  );
}
