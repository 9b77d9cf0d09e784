import { operation } from '../../../engines/host/operation';
import type { Progress, Watch } from '../../../engines/engine';

/** Work that is done, or fails, when the test says so. */
function work() {
  let finish: (result: string) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const begun: Watch[] = [];
  const running = operation<string>(watch => {
    begun.push(watch);
    return new Promise((resolve, reject) => {
      finish = resolve;
      fail = reject;
    });
  });
  return { running, begun, finish: (result: string) => finish(result), fail: (error: Error) => fail(error) };
}

const quiet = (signal = new AbortController().signal): Watch => ({ report: () => undefined, signal });

test('begins with the first poll, once, and tells how far it is', async () => {
  const { running, begun, finish } = work();
  expect(begun).toHaveLength(0);
  expect(await running.poll()).toEqual({ state: 'running', progress: { fraction: null, step: 'starting' } });
  begun[0]!.report({ fraction: 0.5, step: 'copying' });
  expect(await running.poll()).toEqual({ state: 'running', progress: { fraction: 0.5, step: 'copying' } });
  expect(begun).toHaveLength(1);
  finish('done');
  expect(await running.wait(quiet())).toBe('done');
  begun[0]!.report({ fraction: 1, step: 'too late' });
  expect(await running.poll()).toEqual({ state: 'done', result: 'done' });
});

test('a failure is thrown by whoever waits or polls', async () => {
  const { running, begun, fail } = work();
  await running.poll();
  expect(begun).toHaveLength(1);
  fail(new Error('the disk is full'));
  await expect(running.wait(quiet())).rejects.toThrow('the disk is full');
  await expect(running.poll()).rejects.toThrow('the disk is full');
});

test('who waits is told of progress, and gives it up with the reason', async () => {
  const { running, begun, fail } = work();
  const cancel = new AbortController();
  const told: Progress[] = [];
  const waiting = running.wait({ report: progress => told.push(progress), signal: cancel.signal });
  begun[0]!.signal.addEventListener('abort', () => fail(begun[0]!.signal.reason as Error));
  begun[0]!.report({ fraction: 0.5, step: 'copying' });
  cancel.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  expect(told).toEqual([{ fraction: 0.5, step: 'copying' }]);
});

test('what was given up before it is waited for begins already given up', async () => {
  const { running, begun, finish } = work();
  const waiting = running.wait(quiet(AbortSignal.abort(new Error('given up'))));
  expect(begun[0]!.signal.reason).toMatchObject({ message: 'given up' });
  finish('done all the same');
  expect(await waiting).toBe('done all the same');
});
