import { HoldfastError } from '../../../core/errors';
import type { BreakGlassState } from '../../../core/break-glass';
import { restorePointName, snapshotBeforeChange } from '../../../jobs/snapshot';
import { pendingBreakGlass } from '../../../jobs/pending-break-glass';
import { backupSet, fakeCluster, hoursAgo, now, passed, quietWatch, soundEvidence } from './fake-engine';

const none: BreakGlassState = { state: 'none' };
const active: Extract<BreakGlassState, { state: 'active' }> = {
  state: 'active',
  remainingSeconds: 3600,
  grant: {
    reason: 'repository host lost, ticket OPS-99',
    approver: 'ada@example.com',
    issued: hoursAgo(1),
    expires: hoursAgo(-1),
  },
};
const change = { change: 'shop/prod@2026-01-15T12:00:00Z', dryRun: false, breakGlass: none };

test('a restore point is marked and no backup is taken where replay fits into the RTO', async () => {
  const cluster = fakeCluster();
  const report = await snapshotBeforeChange(cluster, change, quietWatch());
  expect(report).toMatchObject({ outcome: 'done', backupSet: null, warnings: [] });
  expect(report.message).toMatch(/no backup was needed: .*within the RTO of 1 h/);
  expect(cluster.engine.points.map(({ name }) => name)).toEqual([restorePointName(change.change)]);
});

test.each([
  ['in about 5 min', 'is marked (in about 5 min)'],
  [undefined, 'is marked (recovery reaches it)'],
])('a restore point whose WAL can’t be waited for (%j) is said to be just that', async (pending, said) => {
  const cluster = fakeCluster();
  cluster.engine.markRestorePoint = name =>
    Promise.resolve({
      name,
      at: '2026-01-15T12:00:00.000Z',
      position: '0/3000000',
      archivedAfterSeconds: null,
      ...(pending !== undefined && { pending }),
    });
  const { message } = await snapshotBeforeChange(cluster, change, quietWatch());
  expect(message).toContain(said);
});

test('a backup annotated with the change is taken where replay would take longer than the RTO', async () => {
  const cluster = fakeCluster([{ rto: '1 min' }]);
  cluster.engine.current = soundEvidence({
    backups: [
      backupSet(1, { verification: passed(0.5, { restoreSeconds: 50, replayBytesPerSecond: 1_000_000 }) }),
    ],
  });
  const report = await snapshotBeforeChange(cluster, change, quietWatch());
  expect(report).toMatchObject({ outcome: 'done', backupSet: 'set-new' });
  expect(cluster.engine.annotations).toEqual([expect.objectContaining({ changeId: change.change })]);
  expect(cluster.engine.calls).toEqual(['evidence', 'markRestorePoint', 'lock backup', 'backup incremental']);
});

test.each<[string, 'when-needed' | 'always', 'when-needed' | 'always', boolean]>([
  ['is about to be applied', 'when-needed', 'always', true],
  ['was applied, and is about to be taken back', 'always', 'when-needed', true],
  ['is neither', 'when-needed', 'when-needed', false],
])('`snapshot: always` that %s', async (_, applied, declared, taken) => {
  const cluster = fakeCluster([{ snapshot: applied }]);
  const request = { ...change, declared: { snapshot: declared, rto: 3600 } };
  const { backupSet: set } = await snapshotBeforeChange(cluster, request, quietWatch());
  expect(set !== null).toBe(taken);
});

test('a shorter RTO that is about to be applied counts for the change that applies it', async () => {
  const declared = { snapshot: 'when-needed', rto: 1 } as const;
  const { message } = await snapshotBeforeChange(fakeCluster(), { ...change, declared }, quietWatch());
  expect(message).toMatch(/longer than the RTO of 1 s/);
});

test('a dry run says what would be done and does nothing', async () => {
  const cluster = fakeCluster([{ snapshot: 'always' }]);
  const report = await snapshotBeforeChange(cluster, { ...change, dryRun: true }, quietWatch());
  expect(report.outcome).toBe('would-do');
  expect(report.message).toMatch(/would mark restore point .* take a backup: snapshot: always is set/);
  expect(cluster.engine.calls).toEqual(['evidence']);
});

test('a dry run says so when no backup would be taken', async () => {
  const report = await snapshotBeforeChange(fakeCluster(), { ...change, dryRun: true }, quietWatch());
  expect(report.message).toMatch(/would mark restore point .* and take no backup: .*within the RTO/);
});

test('a dry run on a cluster that is down doesn’t know how much there is to replay, and would back up', async () => {
  const cluster = fakeCluster();
  cluster.engine.current = soundEvidence({ server: { state: 'stopped', version: null }, archive: null });
  const report = await snapshotBeforeChange(cluster, { ...change, dryRun: true }, quietWatch());
  expect(report.message).toMatch(/would mark restore point .* and take a backup/);
});

test('of a cluster that was never provisioned nothing is on record', async () => {
  const cluster = fakeCluster();
  cluster.engine.memory.provisioned = false;
  const report = await snapshotBeforeChange(cluster, change, quietWatch());
  expect(report.outcome).toBe('done');
  expect(cluster.engine.memory.audit).toEqual([]);
});

test.each(['none', 'provisioning', 'adopting'] as const)(
  'there is nothing to protect while the phase is %s',
  async phase => {
    const cluster = fakeCluster();
    const { identity } = soundEvidence();
    cluster.engine.current = soundEvidence({
      phase,
      backups: [],
      identity:
        phase === 'none' ? { recorded: null, found: null, backedUp: null } : { ...identity, backedUp: null },
    });
    for (const dryRun of [true, false])
      expect(await snapshotBeforeChange(cluster, { ...change, dryRun }, quietWatch())).toMatchObject({
        outcome: 'nothing-to-protect',
      });
    expect(cluster.engine.points).toEqual([]);
  },
);

test('a running backup is waited for, and spares a second one', async () => {
  const cluster = fakeCluster([{ rto: '1 min' }]);
  const { engine } = cluster;
  engine.current = soundEvidence({
    backups: [
      backupSet(1, { verification: passed(0.5, { restoreSeconds: 50, replayBytesPerSecond: 1_000_000 }) }),
    ],
  });
  engine.locked = 'backup';
  const watch = quietWatch();
  engine.onCall = call => {
    if (call !== 'lock backup' || engine.calls.filter(each => each === call).length < 2) return;
    // The other one has ended meanwhile.
    engine.locked = null;
    engine.current = soundEvidence({
      backups: engine.current.backups,
      archive: { ...soundEvidence().archive!, bytesSinceNewestBackup: 0 },
    });
  };
  const report = await snapshotBeforeChange(cluster, change, watch);
  expect(report).toMatchObject({ outcome: 'done', backupSet: null });
  expect(watch.steps).toContainEqual(expect.stringMatching(/^waiting: locked by somebody else/));
});

describe('when the restore point can’t be proven', () => {
  function failing() {
    const cluster = fakeCluster();
    cluster.engine.onCall = call => {
      if (call === 'markRestorePoint')
        throw new HoldfastError('engine-failed', 'the WAL was not archived in 60 s');
    };
    return cluster;
  }

  test('the change is refused', async () => {
    const cluster = failing();
    await expect(snapshotBeforeChange(cluster, change, quietWatch())).rejects.toMatchObject({
      code: 'refused',
      exitCode: 3,
      message: expect.stringContaining('not archived in 60 s') as string,
    });
    expect(await pendingBreakGlass(cluster.engine.memory)).toBeUndefined();
  });

  test('break-glass lets it through with a loud warning, remembered for the next backup', async () => {
    const cluster = failing();
    const report = await snapshotBeforeChange(cluster, { ...change, breakGlass: active }, quietWatch());
    expect(report).toMatchObject({ outcome: 'failed-under-break-glass', restorePoint: null });
    expect(report.warnings).toEqual([expect.stringMatching(/^BREAK-GLASS: .*not archived.*OPS-99/)]);
    expect(await pendingBreakGlass(cluster.engine.memory)).toContain('OPS-99');
  });

  test('what the gate waived is remembered for the next backup also where the snapshot succeeds', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [backupSet(1, { verification: null })] });
    const report = await snapshotBeforeChange(cluster, { ...change, breakGlass: active }, quietWatch());
    expect(report).toMatchObject({ outcome: 'done' });
    expect(report.warnings).toEqual([expect.stringMatching(/^BREAK-GLASS: .*verified is missing.*OPS-99/)]);
    expect(await pendingBreakGlass(cluster.engine.memory)).toContain('OPS-99');
  });

  test('a break-glass that waives nothing leaves no trace', async () => {
    const cluster = fakeCluster();
    const report = await snapshotBeforeChange(cluster, { ...change, breakGlass: active }, quietWatch());
    expect(report.warnings).toEqual([]);
    expect(await pendingBreakGlass(cluster.engine.memory)).toBeUndefined();
  });

  test('break-glass that expired meanwhile on the cluster’s own clock counts as none', async () => {
    const cluster = failing();
    const late = { ...active.grant, issued: hoursAgo(3), expires: hoursAgo(1) };
    await expect(
      snapshotBeforeChange(cluster, { ...change, breakGlass: { ...active, grant: late } }, quietWatch()),
    ).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('expired') as string });
  });

  test('an interruption is no failure that break-glass would waive', async () => {
    const cluster = fakeCluster();
    const watch = quietWatch();
    cluster.engine.onCall = call => {
      if (call !== 'markRestorePoint') return;
      watch.abort(new Error('interrupted'));
      watch.signal.throwIfAborted();
    };
    await expect(snapshotBeforeChange(cluster, { ...change, breakGlass: active }, watch)).rejects.toThrow(
      'interrupted',
    );
  });
});

test('a cluster with another system identifier is never changed, break-glass or not', async () => {
  const cluster = fakeCluster();
  cluster.engine.current = soundEvidence({
    identity: {
      recorded: '7300000000000000001',
      found: '7300000000000000002',
      backedUp: '7300000000000000001',
    },
  });
  await expect(
    snapshotBeforeChange(cluster, { ...change, breakGlass: active }, quietWatch()),
  ).rejects.toMatchObject({ code: 'refused' });
  expect(cluster.engine.points).toEqual([]);
});

test('names of restore points fit into 63 bytes and differ for different changes', () => {
  const long = `organisation/${'x'.repeat(200)}@${now}`;
  expect(Buffer.byteLength(restorePointName(long))).toBeLessThanOrEqual(63);
  expect(restorePointName(`${long}1`)).not.toBe(restorePointName(`${long}2`));
  expect(restorePointName('shop/prod@ü')).toMatch(/^[\w.:-]+$/);
});
