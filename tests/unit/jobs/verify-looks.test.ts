import { HoldfastError } from '../../../core/errors';
import { tidy } from '../../../jobs/tidy';
import { recallVerification } from '../../../jobs/verification/progress';
import { verify } from '../../../jobs/verify';
import { until } from '../../support/processes';
import { fakeCluster, now, quietWatch } from './fake-engine';

/** A cluster whose operations go on alone; its clone takes three looks. */
function cluster(backups: object = {}) {
  const made = fakeCluster([backups]);
  made.engine.goesOnAlone = true;
  made.engine.looks = 3;
  made.engine.pieces = ['orders', 'items', 'orders_pkey'];
  return made;
}

const underWay = ({ engine }: ReturnType<typeof cluster>) => recallVerification(engine.memory);

afterEach(() => jest.restoreAllMocks());

test('a verification is begun, looked at until its clone is restored, and recorded', async () => {
  const shop = cluster();
  const { engine } = shop;
  for (let look = 0; look < 3; look++) {
    expect(await verify(shop).poll()).toEqual({
      state: 'running',
      progress: { fraction: 0.5, step: 'half of clone verification' },
    });
    expect(await underWay(shop)).toMatchObject({ backupSet: 'set-1h', at: now, clone: null });
  }
  expect(await verify(shop).poll()).toMatchObject({
    state: 'done',
    result: { backupSet: 'set-1h', verification: { result: 'passed', restoreSeconds: 30, at: now } },
  });
  expect(engine.recorded).toHaveLength(1);
  expect(engine.made).toEqual([]);
  expect(await underWay(shop)).toBeNull();
  // Only the last look has an outcome.
  expect(engine.memory.audit).toEqual([
    expect.objectContaining({ what: 'verify', outcome: 'succeeded' }) as object,
  ]);
  expect(engine.calls.filter(call => call === 'evidence')).toHaveLength(1);
});

test('it is remembered before its clone is begun, so that the clone is never nobody’s', async () => {
  const shop = cluster();
  const seen: unknown[] = [];
  shop.engine.onCall = async call => {
    if (call.endsWith('clone verification')) seen.push(await underWay(shop));
  };
  await verify(shop).poll();
  expect(seen).toEqual([expect.objectContaining({ backupSet: 'set-1h' })]);
});

test('a run whose time is up leaves the rest to the next, which does nothing twice', async () => {
  const shop = cluster({
    verification: { checks: [{ database: 'shop', name: 'sound', sql: 'select sound' }] },
  });
  const { engine } = shop;
  engine.looks = 0;
  engine.answers.unshift({ match: /sound/, rows: [{ ok: true }] });
  // Each piece takes longer than a look may last.
  engine.onCall = call =>
    /^check |^query shop/.test(call) ? new Promise(resolve => setTimeout(resolve, 30)) : undefined;
  let looks = 0;
  while (looks < 50 && (await verify(shop, 0.02).poll()).state === 'running') looks++;
  expect(looks).toBeGreaterThan(2);
  expect(engine.checked).toEqual(['orders', 'items', 'orders_pkey']);
  expect(engine.recorded[0]).toMatchObject({
    verification: { result: 'passed' },
    counts: { 'shop.app.orders': 100 },
  });
});

test('a run that is killed is gone on with from what it kept meanwhile', async () => {
  const shop = cluster();
  const { engine } = shop;
  engine.looks = 0;
  // Each piece seems to take half a minute.
  let clock = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => (clock += 30_000));
  let dead = false;
  engine.onCall = call => {
    if (call === 'check orders_pkey') dead = true;
    // Nothing that a killed process does arrives any more.
    if (dead) return new Promise(() => undefined);
  };
  void verify(shop).poll();
  await until('it is killed', () => dead);
  engine.onCall = () => undefined;
  jest.restoreAllMocks();
  expect(await verify(shop).poll()).toMatchObject({ state: 'done' });
  expect(engine.checked).toEqual(['orders', 'items', 'orders_pkey']);
});

test('what is wrong is kept with what was checked', async () => {
  const shop = cluster();
  const { engine } = shop;
  engine.looks = 0;
  engine.damage = Array.from({ length: 70 }, (_, index) => `block ${index} is broken`);
  engine.onCall = call => {
    if (call === 'query shop') throw new HoldfastError('busy', 'AWS throttles');
  };
  await expect(verify(shop).poll()).rejects.toMatchObject({ code: 'busy' });
  expect((await underWay(shop))?.wrong).toHaveLength(100);
  engine.onCall = () => undefined;
  await expect(verify(shop).poll()).rejects.toMatchObject({ code: 'check-failed' });
  expect(engine.recorded[0]?.verification).toMatchObject({ result: 'failed' });
  expect(engine.made).toEqual([]);
  expect(await underWay(shop)).toBeNull();
});

test('with another clone than the one that was checked all begins anew', async () => {
  const shop = cluster();
  const { engine } = shop;
  engine.looks = 0;
  let refused = false;
  engine.onCall = call => {
    if (call !== 'check orders_pkey' || refused) return;
    refused = true;
    throw new HoldfastError('busy', 'AWS throttles');
  };
  await expect(verify(shop).poll()).rejects.toThrow('AWS throttles');
  engine.made = [];
  await verify(shop).poll();
  expect(engine.checked).toEqual(['orders', 'items', 'orders', 'items', 'orders_pkey']);
});

test('what fails otherwise ends it: nothing is recorded, and the clone is dropped', async () => {
  const shop = cluster();
  const { engine } = shop;
  engine.looks = 0;
  engine.onCall = call => {
    if (call === 'query shop') throw new HoldfastError('engine-failed', 'PostgreSQL does not answer');
  };
  await expect(verify(shop).poll()).rejects.toThrow('does not answer');
  expect(engine.recorded).toEqual([]);
  expect(engine.made).toEqual([]);
  expect(await underWay(shop)).toBeNull();
  expect(engine.memory.audit).toEqual([expect.objectContaining({ outcome: 'failed' })]);
});

test('one that isn’t done after three days is given up, and its clone is dropped', async () => {
  const shop = cluster();
  const { engine } = shop;
  engine.looks = 0;
  engine.onCall = call => {
    if (call === 'check items') throw new HoldfastError('busy', 'AWS throttles');
  };
  await expect(verify(shop).poll()).rejects.toThrow('AWS throttles');
  const later = Date.now() + 73 * 3_600_000;
  jest.spyOn(Date, 'now').mockReturnValue(later);
  await expect(verify(shop).poll()).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringMatching(/of set-1h was begun at .*, isn’t done, and is given up/) as string,
  });
  expect(engine.made).toEqual([]);
  expect(await underWay(shop)).toBeNull();
});

test('a person goes on with it, and waits for the end', async () => {
  const shop = cluster();
  const { engine } = shop;
  await verify(shop).poll();
  const before = await underWay(shop);
  engine.looks = 0;
  const watch = quietWatch();
  expect(await verify(shop).wait(watch)).toMatchObject({ backupSet: before?.backupSet });
  expect(await underWay(shop)).toBeNull();
  expect(engine.made).toEqual([]);
});

test('a clone that can’t be restored fails the verification, however many looks that took', async () => {
  const shop = cluster();
  const { engine } = shop;
  await verify(shop).poll();
  engine.onCall = call => {
    if (call.endsWith('clone verification')) throw new HoldfastError('engine-failed', 'its status is failed');
  };
  await expect(verify(shop).poll()).rejects.toMatchObject({ code: 'check-failed' });
  expect(engine.recorded[0]?.verification.reason).toBe('it can’t be restored: its status is failed');
});

describe('tidying up', () => {
  const clone = {
    id: 'checked',
    purpose: 'verification' as const,
    createdAt: now,
    expiresAt: '2999-01-01T00:00:00Z',
    state: 'running' as const,
    sizeBytes: 1,
    connect: [],
    measured: { restoreSeconds: 1, replayBytesPerSecond: null, backupSet: 'set-1h', reached: null },
  };

  test('leaves the clone of a verification that is under way, and drops one that is nobody’s', async () => {
    const shop = cluster();
    const { engine } = shop;
    await verify(shop).poll();
    engine.made = [clone];
    await tidy(shop, () => undefined);
    expect(engine.made).toEqual([clone]);
    engine.memory.texts.set('verification', '{"schema":2}');
    await tidy(shop, () => undefined);
    expect(engine.made).toEqual([]);
  });

  test('takes what is remembered but can’t be understood for nothing', async () => {
    const shop = cluster();
    for (const text of ['{', 'null']) {
      shop.engine.memory.texts.set('verification', text);
      expect(await underWay(shop)).toBeNull();
    }
  });
});
