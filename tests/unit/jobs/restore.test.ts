import { HoldfastError } from '../../../core/errors';
import { planRestore, restore } from '../../../jobs/restore';
import { fakeCluster, hoursAgo, quietWatch, soundEvidence } from './fake-engine';

const at = { target: { type: 'time', at: hoursAgo(0.5) } } as const;
const latest = { target: { type: 'latest' } } as const;

describe('the plan', () => {
  test('says which span of transactions is lost, and does nothing', async () => {
    const cluster = fakeCluster();
    const plan = await planRestore(cluster, at);
    expect(plan).toMatchObject({ cluster: 'shop', environment: 'production' });
    expect(plan.losses[0]).toBe(`every transaction between ${hoursAgo(0.5)} and now (30 min)`);
    expect(cluster.engine.calls).toEqual(['evidence']);
  });

  test('knows when a restore point was', async () => {
    const cluster = fakeCluster();
    cluster.engine.points = [{ name: 'p', at: hoursAgo(0.25), position: '0/1', archivedAfterSeconds: 1 }];
    const { losses } = await planRestore(cluster, { target: { type: 'restore-point', name: 'p' } });
    expect(losses[0]).toContain('(15 min)');
  });

  test('says what is lost also where nobody knows when the target was', async () => {
    const { losses } = await planRestore(fakeCluster(), { target: { type: 'backup-set', id: 'set-1h' } });
    expect(losses[0]).toBe('every transaction after backup set set-1h');
  });

  test('of the latest moment loses nothing', async () => {
    expect((await planRestore(fakeCluster(), latest)).losses[0]).toContain('nothing that was committed');
  });

  test('of the latest moment of a cluster that crashed loses its last WAL, and says so', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ server: { state: 'stopped', version: null }, archive: null });
    expect((await planRestore(cluster, latest)).losses[0]).toContain('last, unfinished WAL segment');
  });

  test('refuses a moment out of range, saying the range', async () => {
    await expect(
      planRestore(fakeCluster(), { target: { type: 'time', at: hoursAgo(5) } }),
    ).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('restorable is from') as string,
    });
  });
});

test('the cluster is restored beside, checked, swapped in and backed up, under one lock', async () => {
  const cluster = fakeCluster();
  cluster.engine.settled = ['undid a swap'];
  const watch = quietWatch();
  const result = await restore(cluster, at, watch);
  expect(result).toMatchObject({
    cluster: 'shop',
    keptAside: '/aside/1',
    restoreSeconds: 30,
    backupSet: { id: 'set-new', kind: 'full' },
  });
  expect(cluster.engine.calls.filter(call => !call.startsWith('query'))).toEqual([
    'lock restore',
    'settle',
    'evidence',
    'clone restore',
    'checkIntegrity',
    'check all',
    'replaceWith clone-1',
    'backup full',
  ]);
  expect(watch.steps).toContain('undid a swap');
});

test('the latest moment needs the old one stopped first', async () => {
  const cluster = fakeCluster();
  await restore(cluster, latest, quietWatch());
  const { calls } = cluster.engine;
  expect(calls.indexOf('halt')).toBeLessThan(calls.indexOf('clone restore'));
  expect(calls).not.toContain('resume');
});

test('a swap that is refused leaves the cluster that was halted for it running', async () => {
  const cluster = fakeCluster();
  cluster.engine.onCall = call => {
    if (call.startsWith('replaceWith')) throw new HoldfastError('refused', 'it is a mount point');
  };
  await expect(restore(cluster, latest, quietWatch())).rejects.toThrow('it is a mount point');
  expect(cluster.engine.calls.at(-1)).toBe('resume');
});

test('damage keeps the original in place and the clone to be looked at', async () => {
  const cluster = fakeCluster();
  cluster.engine.damage = ['index orders_pkey is broken'];
  await expect(restore(cluster, latest, quietWatch())).rejects.toMatchObject({
    code: 'check-failed',
    hint: expect.stringContaining('clone-1') as string,
  });
  expect(cluster.engine.calls).not.toContain('replaceWith clone-1');
  expect(cluster.engine.calls.at(-1)).toBe('resume');
  expect(cluster.engine.made).toHaveLength(1);
});

test('damage is accepted with a reason', async () => {
  const cluster = fakeCluster();
  cluster.engine.damage = ['index orders_pkey is broken'];
  await restore(cluster, { ...at, despiteChecks: 'rebuilt afterwards' }, quietWatch());
  expect(cluster.engine.calls).toContain('replaceWith clone-1');
});

test('a clone that still recovers isn’t swapped in', async () => {
  const cluster = fakeCluster();
  cluster.engine.answers.unshift({ match: /pg_is_in_recovery/, rows: [{ recovering: true }] });
  await expect(restore(cluster, at, quietWatch())).rejects.toMatchObject({ code: 'check-failed' });
});

test('given up before the swap, the clone is dropped and the original runs again', async () => {
  const cluster = fakeCluster();
  const watch = quietWatch();
  cluster.engine.onCall = call => {
    if (call !== 'checkIntegrity') return;
    watch.abort(new Error('interrupted'));
    watch.signal.throwIfAborted();
  };
  await expect(restore(cluster, latest, watch)).rejects.toThrow('interrupted');
  expect(cluster.engine.calls.slice(-2)).toEqual(['dropClone clone-1', 'resume']);
  expect(cluster.engine.locked).toBeNull();
});

test('a failed backup afterwards says that the restore itself is done', async () => {
  const cluster = fakeCluster();
  cluster.engine.onCall = call => {
    if (call === 'backup full') throw new HoldfastError('engine-failed', 'repository read-only');
  };
  await expect(restore(cluster, at, quietWatch())).rejects.toMatchObject({
    code: 'engine-failed',
    message: expect.stringContaining('shop is restored and running (old data: /aside/1)') as string,
    hint: 'holdfast backup shop --kind full',
  });
});
