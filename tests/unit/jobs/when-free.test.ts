import { HoldfastError } from '../../../core/errors';
import { whenFree } from '../../../jobs/when-free';
import { quietWatch } from './fake-engine';

// The pause between two attempts: what matters here is what follows it.
jest.mock('node:timers/promises', () => ({
  setTimeout: (_: number, value: unknown, { signal }: { signal: AbortSignal }) => {
    signal.throwIfAborted();
    return Promise.resolve(value);
  },
}));

const busy = (who: string) => new HoldfastError('busy', `locked by ${who}`);

/** Fails with each of these in turn, then succeeds; remembers whether it was told that it had waited. */
function failing(...errors: Error[]) {
  const waited: boolean[] = [];
  const use = (hasWaited: boolean) => {
    waited.push(hasWaited);
    const error = errors.shift();
    return error === undefined ? Promise.resolve('done') : Promise.reject(error);
  };
  return { waited, use };
}

test('a lock that is held is waited for, and each holder is said once', async () => {
  const watch = quietWatch();
  const { use, waited } = failing(busy('ada'), busy('ada'), busy('bob'));
  expect(await whenFree(use, watch)).toBe('done');
  expect(waited).toEqual([false, true, true, true]);
  expect(watch.steps).toEqual(['waiting: locked by ada', 'waiting: locked by bob']);
});

test('another failure is not waited for', async () => {
  const { use, waited } = failing(new HoldfastError('engine-failed', 'the disk is full'));
  await expect(whenFree(use, quietWatch())).rejects.toThrow('the disk is full');
  expect(waited).toEqual([false]);
});

test('a lock that is held for more than four hours is a failure', async () => {
  const begun = Date.now();
  const clock = jest
    .spyOn(Date, 'now')
    .mockReturnValueOnce(begun)
    .mockReturnValue(begun + 4 * 3600 * 1000 + 1);
  try {
    await expect(whenFree(failing(busy('ada')).use, quietWatch())).rejects.toMatchObject({ code: 'busy' });
  } finally {
    clock.mockRestore();
  }
});

test('waiting ends when it is given up', async () => {
  const watch = quietWatch();
  watch.abort(new Error('given up'));
  await expect(whenFree(failing(busy('ada')).use, watch)).rejects.toThrow('given up');
});
