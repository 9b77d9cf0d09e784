import { formatDuration } from './durations';

/**
 * What replay is assumed to do before it was ever measured: one segment of 16 MiB fetched and replayed a second. An
 * assumption on the safe side, not a measurement; the first verification with enough WAL replaces it.
 */
export const assumedReplayBytesPerSecond = 16 * 1024 * 1024;

/** Before a restore was ever measured, this share of the RTO is set aside for it. */
export const assumedRestoreShare = 0.5;

export interface SnapshotInput {
  /** WAL to replay since the newest usable backup set; null when it isn't known. */
  readonly bytesSinceNewestBackup: number | null;
  /** Measured by verification; null when nothing was measured. */
  readonly replayBytesPerSecond: number | null;
  /** Seconds. */
  readonly rto: number;
  /** Measured by verification; null when nothing was measured. */
  readonly restoreSeconds: number | null;
  readonly mode: 'when-needed' | 'always';
}

/** Whether a change needs a fresh backup before it, because a restore and the replay since would take longer than the RTO. */
export function decideSnapshot(input: SnapshotInput): {
  readonly backup: boolean;
  readonly reason: string;
} {
  const { bytesSinceNewestBackup: bytes, mode, rto } = input;
  if (mode === 'always') return { backup: true, reason: 'snapshot: always is set' };
  if (bytes === null)
    return { backup: true, reason: 'how much WAL there is to replay since the newest backup is not known' };
  const measured = input.replayBytesPerSecond;
  const [rate, source] =
    measured !== null && measured > 0 ? [measured, 'measured'] : [assumedReplayBytesPerSecond, 'assumed'];
  const replay = bytes / rate;
  const restore = input.restoreSeconds ?? rto * assumedRestoreShare;
  const total = restore + replay;
  const backup = !(total <= rto);
  const sources = [
    `restore ${formatDuration(restore)} (${input.restoreSeconds === null ? 'assumed: half the RTO' : 'measured'})`,
    `replay of ${formatMebibytes(bytes)} ${formatDuration(replay)} (${source}: ${formatMebibytes(rate)} a second)`,
  ].join(' + ');
  return {
    backup,
    reason: `${sources} = ${formatDuration(total)}, ${backup ? 'longer than' : 'within'} the RTO of ${formatDuration(rto)}`,
  };
}

function formatMebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
