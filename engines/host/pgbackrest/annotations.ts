import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Verification } from '../../../core/evidence';
import type { Annotations } from '../../engine';

/*
 * What Holdfast keeps on a backup set, as pgBackRest annotations: it lives and expires with the set, and needs no other
 * store. An empty value removes an annotation.
 */

export type StoredAnnotations = Readonly<Record<string, string>>;

const keys = {
  change: 'holdfast-change',
  requestedBy: 'holdfast-requested-by',
  breakGlass: 'holdfast-break-glass',
  result: 'holdfast-verification',
  at: 'holdfast-verified-at',
  restoreSeconds: 'holdfast-restore-seconds',
  replayRate: 'holdfast-replay-rate',
  reason: 'holdfast-verification-reason',
  counts: 'holdfast-counts',
} as const;

/** One argument of a process has at most 128 KB on Linux. */
const largestCounts = 98_304;

export function encodeAnnotations(annotations: Annotations): StoredAnnotations {
  const stored: Record<string, string> = {};
  if (annotations.changeId !== undefined) stored[keys.change] = oneLine(annotations.changeId);
  if (annotations.requestedBy !== undefined) stored[keys.requestedBy] = oneLine(annotations.requestedBy);
  if (annotations.breakGlass !== undefined) stored[keys.breakGlass] = oneLine(annotations.breakGlass);
  return stored;
}

export function changeIdOf(stored: StoredAnnotations): string | null {
  return stored[keys.change] ?? null;
}

export function encodeVerification(
  verification: Verification,
  counts: Readonly<Record<string, number>>,
): StoredAnnotations {
  return {
    [keys.result]: verification.result,
    [keys.at]: verification.at,
    [keys.restoreSeconds]: String(verification.restoreSeconds),
    [keys.replayRate]:
      verification.replayBytesPerSecond === null ? '' : String(verification.replayBytesPerSecond),
    [keys.reason]: oneLine(verification.reason ?? ''),
    [keys.counts]: encodeCounts(counts),
  };
}

/** The verification on a set; null when there is none that can be read. */
export function decodeVerification(stored: StoredAnnotations): Verification | null {
  const result = stored[keys.result];
  const at = Date.parse(stored[keys.at] ?? '');
  const restoreSeconds = Number(stored[keys.restoreSeconds] ?? NaN);
  if ((result !== 'passed' && result !== 'failed') || Number.isNaN(at) || !(restoreSeconds >= 0)) return null;
  const rate = Number(stored[keys.replayRate] ?? NaN);
  return {
    result,
    at: new Date(at).toISOString(),
    restoreSeconds,
    replayBytesPerSecond: rate > 0 ? rate : null,
    reason: stored[keys.reason] ?? null,
  };
}

/** Counts that were kept; null when there are none that can be read. */
export function decodeCounts(stored: StoredAnnotations): Readonly<Record<string, number>> | null {
  const text = stored[keys.counts];
  if (text === undefined) return null;
  try {
    const counts: unknown = JSON.parse(inflateRawSync(Buffer.from(text, 'base64')).toString('utf8'));
    if (typeof counts !== 'object' || counts === null) return null;
    const numbers = Object.entries(counts).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number',
    );
    return Object.fromEntries(numbers);
  } catch {
    return null;
  }
}

/** Removes the counts from a set: those of the newest verification are enough, and `info` prints them all. */
export const withoutCounts: StoredAnnotations = { [keys.counts]: '' };

/** Compressed; of too many tables those with the most rows are kept, because a fall in them weighs most. */
function encodeCounts(counts: Readonly<Record<string, number>>): string {
  let entries = Object.entries(counts).sort((one, other) => other[1] - one[1]);
  while (entries.length > 0) {
    const text = deflateRawSync(JSON.stringify(Object.fromEntries(entries))).toString('base64');
    if (text.length <= largestCounts) return text;
    entries = entries.slice(0, Math.floor(entries.length / 2));
  }
  return '';
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 2000);
}

export function annotationArguments(stored: StoredAnnotations): string[] {
  return Object.entries(stored).map(([key, value]) => `--annotation=${key}=${value}`);
}
