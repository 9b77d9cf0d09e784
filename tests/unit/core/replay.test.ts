import { assumedReplayBytesPerSecond, decideSnapshot, type SnapshotInput } from '../../../core/replay';

const mebibyte = 1024 * 1024;
const decide = (overrides: Partial<SnapshotInput> = {}) =>
  decideSnapshot({
    bytesSinceNewestBackup: 100 * mebibyte,
    replayBytesPerSecond: 10 * mebibyte,
    rto: 3600,
    restoreSeconds: 600,
    mode: 'when-needed',
    ...overrides,
  });

test('no backup while restore and replay keep the RTO, with the estimate', () =>
  expect(decide()).toEqual({
    backup: false,
    reason:
      'restore 10 min (measured) + replay of 100.0 MiB 10 s (measured: 10.0 MiB a second) = 10 min 10 s, within the RTO of 1 h',
  }));

test('a backup as soon as they would take longer', () => {
  const most = 3000 * 10 * mebibyte;
  expect(decide({ bytesSinceNewestBackup: most }).backup).toBe(false);
  const more = decide({ bytesSinceNewestBackup: most + 10 * mebibyte });
  expect(more.backup).toBe(true);
  expect(more.reason).toContain('longer than the RTO of 1 h');
});

test('when nothing was measured the assumptions are on the safe side, and said', () => {
  const unmeasured = { replayBytesPerSecond: null, restoreSeconds: null };
  expect(decide(unmeasured).reason).toMatch(/restore 30 min \(assumed: half the RTO\).*\(assumed: 16\.0 MiB/);
  expect(decide({ ...unmeasured, bytesSinceNewestBackup: 1800 * assumedReplayBytesPerSecond }).backup).toBe(
    false,
  );
  expect(decide({ ...unmeasured, bytesSinceNewestBackup: 1801 * assumedReplayBytesPerSecond }).backup).toBe(
    true,
  );
});

test('a measured rate of nothing is no measurement', () =>
  expect(decide({ replayBytesPerSecond: 0 }).reason).toContain('assumed: 16.0 MiB'));

test('a restore that alone takes longer than the RTO needs a backup too', () =>
  expect(decide({ restoreSeconds: 7200, bytesSinceNewestBackup: 0 }).backup).toBe(true));

test('unknown WAL needs a backup', () =>
  expect(decide({ bytesSinceNewestBackup: null })).toMatchObject({
    backup: true,
    reason: expect.stringContaining('not known') as string,
  }));

test('an estimate that is no number needs a backup', () =>
  expect(decide({ bytesSinceNewestBackup: NaN }).backup).toBe(true));

test('it can be forced', () =>
  expect(decide({ mode: 'always', bytesSinceNewestBackup: 0 })).toEqual({
    backup: true,
    reason: 'snapshot: always is set',
  }));
