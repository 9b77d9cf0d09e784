import type { Operation } from '../../../engines/engine';
import { paced, Unfinished } from '../../../jobs/pace';
import { quietWatch } from './fake-engine';

/** An operation that is done at the so-manieth look. */
function lasting(looks: number): Operation<string> {
  let left = looks;
  return {
    poll: () =>
      Promise.resolve(
        --left > 0
          ? { state: 'running', progress: { fraction: null, step: `${left} to go` } }
          : { state: 'done', result: 'done' },
      ),
    wait: () => Promise.resolve('waited'),
  };
}

test('a job waits for what it needs, where somebody waits for it', async () => {
  const watch = quietWatch();
  const job = paced(async ({ looks, report, result }) => {
    report({ fraction: null, step: 'working' });
    return [looks, await result(lasting(9))];
  });
  expect(await job.wait(watch)).toEqual([false, 'waited']);
  expect(watch.steps).toEqual(['working']);
});

test('looked at, it goes as far as it comes', async () => {
  const [first, second] = [lasting(2), lasting(2)];
  const job = paced(async ({ result }) => `${await result(first)} and ${await result(second)}`);
  expect(await job.poll()).toEqual({ state: 'running', progress: { fraction: null, step: '1 to go' } });
  expect(await job.poll()).toEqual({ state: 'running', progress: { fraction: null, step: '1 to go' } });
  expect(await job.poll()).toEqual({ state: 'done', result: 'done and done' });
});

test('its time is up between two pieces of what it does itself, and it says at what it is', async () => {
  const job = paced(async ({ signal, report }) => {
    report({ fraction: null, step: 'counting' });
    await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }));
    signal.throwIfAborted();
  }, 0.01);
  expect(await job.poll()).toEqual({ state: 'running', progress: { fraction: null, step: 'counting' } });
});

test('what fails in a look is thrown', async () => {
  const job = paced(() => Promise.reject(new Error('the disk is full')));
  await expect(job.poll()).rejects.toThrow('the disk is full');
  expect(new Unfinished({ fraction: null, step: 'half' }).message).toBe('half');
});
