import { HoldfastError } from '../../../core/errors';
import { verify } from '../../../jobs/verify';
import { backupSet, fakeCluster, quietWatch, soundEvidence } from './fake-engine';

const checks = [{ database: 'shop', name: 'orders have lines', sql: 'select has_lines' }];

function clusterWithCheck(answer: object[] | Error = [{ ok: true }]) {
  const cluster = fakeCluster([{ verification: { checks } }]);
  cluster.engine.answers.unshift({ match: /has_lines/, rows: answer });
  return cluster;
}

test('the newest usable set is restored, checked, counted, annotated, and its clone dropped', async () => {
  const cluster = clusterWithCheck();
  cluster.engine.current = soundEvidence({
    phase: 'provisioning',
    backups: [backupSet(5), backupSet(2), backupSet(1, { unusable: 'page checksum error' })],
  });
  const result = await verify(cluster).wait(quietWatch());
  expect(result).toMatchObject({
    backupSet: 'set-2h',
    verification: { result: 'passed', restoreSeconds: 30, replayBytesPerSecond: 50_000_000, reason: null },
    counts: { 'shop.app.orders': 100 },
  });
  expect(cluster.engine.recorded).toEqual([
    { set: 'set-2h', verification: result.verification, counts: { 'shop.app.orders': 100 } },
  ]);
  expect(cluster.engine.made).toEqual([]);
  expect(cluster.engine.calls.at(-1)).toBe('establish');
});

test.each([
  [
    'damage',
    (c: ReturnType<typeof clusterWithCheck>) => void (c.engine.damage = ['index orders_pkey is broken']),
    /orders_pkey/,
  ],
  [
    'a check that is not true',
    (c: ReturnType<typeof clusterWithCheck>) =>
      void (c.engine.answers[0] = { match: /has_lines/, rows: [{ ok: false }] }),
    /"orders have lines" \(shop\) failed: its result is false/,
  ],
  [
    'a check with no row',
    (c: ReturnType<typeof clusterWithCheck>) => void (c.engine.answers[0] = { match: /has_lines/, rows: [] }),
    /0 rows instead of one/,
  ],
  [
    'a check whose row has no column',
    (c: ReturnType<typeof clusterWithCheck>) =>
      void (c.engine.answers[0] = { match: /has_lines/, rows: [{}] }),
    /its result is nothing, not true/,
  ],
  [
    'a check that can’t run',
    (c: ReturnType<typeof clusterWithCheck>) =>
      void (c.engine.answers[0] = { match: /has_lines/, rows: new Error('relation does not exist') }),
    /relation does not exist/,
  ],
  [
    'a table that lost a quarter of its rows',
    (c: ReturnType<typeof clusterWithCheck>) => void (c.engine.counts = { 'shop.app.orders': 134 }),
    /shop.app.orders has 100 rows; the last verification counted 134: 25 % fewer/,
  ],
  [
    'a table that is gone',
    (c: ReturnType<typeof clusterWithCheck>) => void (c.engine.counts = { 'shop.app.items': 3 }),
    /shop.app.items has 0 rows.*gone/,
  ],
])('%s fails the verification, which is recorded and drops the clone', async (_, spoil, reason) => {
  const cluster = clusterWithCheck();
  spoil(cluster);
  await expect(verify(cluster).wait(quietWatch())).rejects.toMatchObject({
    code: 'check-failed',
    message: expect.stringMatching(reason) as string,
  });
  expect(cluster.engine.recorded).toEqual([
    expect.objectContaining({
      verification: expect.objectContaining({
        result: 'failed',
        reason: expect.stringMatching(reason) as string,
      }) as object,
    }),
  ]);
  expect(cluster.engine.made).toEqual([]);
  expect(cluster.engine.calls).not.toContain('establish');
});

test('a fall of a fifth passes, and a larger one that was declared', async () => {
  const cluster = fakeCluster([{ verification: { allowedFalls: ['shop.app.sessions'] } }]);
  cluster.engine.counts = { 'shop.app.orders': 125, 'shop.app.sessions': 1000, 'shop.app.empty': 0 };
  await expect(verify(cluster).wait(quietWatch())).resolves.toMatchObject({
    verification: { result: 'passed' },
  });
});

test('a set that can’t be restored fails the verification', async () => {
  const cluster = fakeCluster();
  cluster.engine.onCall = call => {
    if (call.startsWith('clone')) throw new HoldfastError('engine-failed', 'checksum mismatch in base/1/2');
  };
  await expect(verify(cluster).wait(quietWatch())).rejects.toMatchObject({ code: 'check-failed' });
  expect(cluster.engine.recorded[0]?.verification.reason).toContain('checksum mismatch');
});

test('a full disk says nothing about the backup set, so nothing is recorded', async () => {
  const cluster = fakeCluster();
  cluster.engine.onCall = call => {
    if (call.startsWith('clone')) throw new HoldfastError('refused', '1 GB free, 5 GB needed');
  };
  await expect(verify(cluster).wait(quietWatch())).rejects.toMatchObject({ code: 'refused' });
  expect(cluster.engine.recorded).toEqual([]);
});

test('given up during the checks, the clone is dropped and nothing recorded', async () => {
  const cluster = fakeCluster();
  const watch = quietWatch();
  cluster.engine.onCall = call => {
    if (call !== 'checkIntegrity') return;
    watch.abort(new Error('interrupted'));
    watch.signal.throwIfAborted();
  };
  await expect(verify(cluster).wait(watch)).rejects.toThrow('interrupted');
  expect(cluster.engine.made).toEqual([]);
  expect(cluster.engine.recorded).toEqual([]);
});

test('without a usable backup there is nothing to verify', async () => {
  const cluster = fakeCluster();
  cluster.engine.current = soundEvidence({ backups: [] });
  await expect(verify(cluster).wait(quietWatch())).rejects.toMatchObject({
    code: 'check-failed',
    hint: 'holdfast backup shop --kind full',
  });
});
