import { withClusterLock } from '../../engines/rds/lock';
import { createParameter, listParameters } from '../../engines/rds/parameters';
import { contextOf, useAws } from './support';

const aws = useAws();

const count = (action: string) => aws.calls.filter(call => call.action === action).length;

describe('a lock', () => {
  test('is held by one, and says by whom', async () => {
    const context = contextOf();
    await withClusterLock(context, 'backup', 'ada', async () => {
      const second = withClusterLock(context, 'restore', 'bob', () => Promise.resolve());
      await expect(second).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('cluster lock of shop is held by ada (backup), since') as string,
      });
      await withClusterLock(context, 'verification', 'bob', () => Promise.resolve());
    });
    expect(await withClusterLock(context, 'restore', 'bob', () => Promise.resolve('free'))).toBe('free');
  });

  test('is released when the job fails', async () => {
    const context = contextOf();
    const failing = withClusterLock(context, 'backup', 'ada', () => Promise.reject(new Error('disk')));
    await expect(failing).rejects.toThrow('disk');
    await withClusterLock(context, 'backup', 'bob', () => Promise.resolve());
    expect(await listParameters(context, 'lock/cluster')).toHaveLength(1);
  });

  test('of two that want it at the same time is one’s', async () => {
    const contexts = Array.from({ length: 6 }, () => contextOf());
    let inside = 0;
    let most = 0;
    const outcomes = await Promise.allSettled(
      contexts.map(context =>
        withClusterLock(context, 'backup', 'somebody', async () => {
          most = Math.max(most, ++inside);
          await listParameters(context, 'lock');
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'busy' });
  });

  test('whose lease ended is taken over by one', async () => {
    const context = contextOf();
    const stale = { holder: 'dead', since: '2026-01-01T00:00:00.000Z', expires: '2026-01-01T00:15:00.000Z' };
    await createParameter(context, 'lock/cluster/9', JSON.stringify(stale));
    await withClusterLock(context, 'backup', 'ada', async () => {
      expect((await listParameters(context, 'lock/cluster')).map(({ name }) => name)).toEqual(['10']);
    });
  });

  test('is given up by who was too slow to take it', async () => {
    const context = contextOf();
    // Between its look and its creation another one took the lock, twice.
    aws.rewrite(/^GetParametersByPath$/, () => JSON.stringify({ Parameters: [] }), 1);
    const later = { holder: 'eve', since: '2026-01-01T00:00:00.000Z', expires: '2099-01-01T00:00:00.000Z' };
    await createParameter(context, 'lock/cluster/2', JSON.stringify(later));
    await expect(withClusterLock(context, 'backup', 'ada', () => Promise.resolve())).rejects.toThrow(
      'held by eve',
    );
    expect((await listParameters(context, 'lock/cluster')).map(({ name }) => name)).toEqual(['2']);
    // The same, with the generation that it wanted.
    aws.rewrite(/^GetParametersByPath$/, () => JSON.stringify({ Parameters: [] }));
    await createParameter(context, 'lock/cluster/1', JSON.stringify(later));
    await expect(withClusterLock(context, 'backup', 'ada', () => Promise.resolve())).rejects.toThrow(
      'another process',
    );
  });

  test('is renewed as long as it is held', async () => {
    const context = contextOf();
    const renewed = () => count('PutParameter') > 3;
    await withClusterLock(
      context,
      'backup',
      'ada',
      async () => {
        aws.refuse(/^PutParameter$/, 'ThrottlingException', { times: 2 });
        while (!renewed()) await listParameters(context, 'lock/cluster');
      },
      { renewSeconds: 0.02 },
    );
    await withClusterLock(context, 'backup', 'bob', () => Promise.resolve());
  });

  test('that can’t be released is free when its lease ends, and the job has done its work', async () => {
    const context = contextOf();
    const done = await withClusterLock(context, 'backup', 'ada', () => {
      aws.refuse(/^PutParameter$/, 'AccessDeniedException');
      return Promise.resolve('done');
    });
    expect(done).toBe('done');
  });

  test('that can’t be understood, asked for or taken is neither held nor free', async () => {
    const context = contextOf();
    const take = () => withClusterLock(context, 'backup', 'ada', () => Promise.resolve());
    aws.refuse(/^GetParametersByPath$/, 'AccessDeniedException', { times: 1 });
    await expect(take()).rejects.toThrow('listing /holdfast/shop/lock/cluster/ failed: AWS denies it');
    aws.refuse(/^PutParameter$/, 'AccessDeniedException', { times: 1 });
    await expect(take()).rejects.toThrow('writing /holdfast/shop/lock/cluster/1 failed');
    await createParameter(context, 'lock/cluster/1', 'nonsense');
    await expect(take()).rejects.toThrow('can’t be understood');
    await createParameter(
      context,
      'lock/schedule/1',
      JSON.stringify({ holder: 'x', since: '2026-01-01T00:00:00Z', expires: null }),
    );
    aws.refuse(/^DeleteParameter$/, 'AccessDeniedException', { times: 1 });
    await expect(withClusterLock(context, 'schedule', 'ada', () => Promise.resolve())).rejects.toThrow(
      'removing',
    );
    aws.refuse(/^DeleteParameter$/, 'ParameterNotFound', { times: 1 });
    await createParameter(
      context,
      'lock/verification/1',
      JSON.stringify({ holder: 'x', since: '2026-01-01T00:00:00Z', expires: null }),
    );
    await withClusterLock(context, 'verification', 'ada', () => Promise.resolve());
  });
});
