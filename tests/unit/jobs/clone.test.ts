import { clone, clones, describeTarget, dropClone } from '../../../jobs/clone';
import { fakeCluster, hoursAgo, quietWatch, soundEvidence } from './fake-engine';

test('a clone expires after a day by the server’s clock, or when it is said', async () => {
  const cluster = fakeCluster();
  const target = { type: 'latest' } as const;
  expect((await clone(cluster, { target }, quietWatch())).expiresAt).toBe(hoursAgo(-24));
  expect((await clone(cluster, { target, keepSeconds: 3600 }, quietWatch())).expiresAt).toBe(hoursAgo(-1));
  expect(await clones(cluster)).toHaveLength(2);
  // Neither waits for, nor excludes, anything.
  expect(cluster.engine.calls.filter(call => call.startsWith('lock'))).toEqual([]);
});

test('a moment out of range, and a cluster without backups, are refused before anything is restored', async () => {
  const cluster = fakeCluster();
  const target = { type: 'time', at: hoursAgo(9) } as const;
  await expect(clone(cluster, { target }, quietWatch())).rejects.toMatchObject({ code: 'configuration' });
  cluster.engine.current = soundEvidence({ backups: [], restorable: null });
  await expect(clone(cluster, { target: { type: 'latest' } }, quietWatch())).rejects.toMatchObject({
    code: 'configuration',
  });
  expect(cluster.engine.made).toEqual([]);
});

describe('a moment after what is archived', () => {
  const target = { type: 'time', at: hoursAgo(0.1) } as const;
  const behind = soundEvidence({ restorable: { from: hoursAgo(1), until: hoursAgo(0.2) } });

  test('is reached by archiving what a running cluster has not archived yet', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = behind;
    cluster.engine.onCall = call => {
      if (call === 'markRestorePoint') cluster.engine.current = soundEvidence();
    };
    await clone(cluster, { target }, quietWatch());
    expect(cluster.engine.calls).toEqual(['evidence', 'markRestorePoint', 'evidence', 'clone clone']);
  });

  test('is out of range when that fails', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = behind;
    cluster.engine.onCall = call => {
      if (call === 'markRestorePoint') throw new Error('archiving fails');
    };
    const watch = quietWatch();
    await expect(clone(cluster, { target }, watch)).rejects.toMatchObject({ code: 'configuration' });
    expect(watch.steps).toContain('it can’t be archived: archiving fails');
  });

  test('is out of range of a stopped cluster, and in the future of any', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = { ...behind, server: { state: 'stopped', version: null } };
    await expect(clone(cluster, { target }, quietWatch())).rejects.toMatchObject({ code: 'configuration' });
    cluster.engine.current = behind;
    await expect(
      clone(cluster, { target: { type: 'time', at: hoursAgo(-1) } }, quietWatch()),
    ).rejects.toMatchObject({ code: 'configuration' });
    expect(cluster.engine.points).toEqual([]);
  });
});

test('dropping a clone that isn’t there says which there are', async () => {
  const cluster = fakeCluster();
  await expect(dropClone(cluster, 'x', quietWatch().signal)).rejects.toMatchObject({
    hint: 'It has no clones at all.',
  });
  await clone(cluster, { target: { type: 'latest' } }, quietWatch());
  await expect(dropClone(cluster, 'x', quietWatch().signal)).rejects.toMatchObject({
    code: 'configuration',
    hint: 'It has clone-1.',
  });
  await dropClone(cluster, 'clone-1', quietWatch().signal);
  expect(cluster.engine.made).toEqual([]);
});

test('targets are described as a person says them', () => {
  expect(
    [
      { type: 'latest' } as const,
      { type: 'time', at: '2026-01-15T12:00:00.000000Z' } as const,
      { type: 'restore-point', name: 'p' } as const,
      { type: 'backup-set', id: 's' } as const,
    ].map(describeTarget),
  ).toEqual(['the latest moment', '2026-01-15T12:00:00.000000Z', 'restore point p', 'backup set s']);
});
