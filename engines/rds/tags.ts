import type { Tag } from '@aws-sdk/client-rds';
import { list, text } from './answers';
import type { Verification } from '../../core/evidence';
import type { Annotations } from '../engine';

/*
 * What Holdfast keeps on snapshots and clones, as tags: it lives and expires with them. A value has at most 256 characters,
 * and only letters, digits, spaces and `_ . : / = + - @` (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html).
 */

const largestValue = 256;

export const keys = {
  cluster: 'holdfast:cluster',
  change: 'holdfast:change',
  requestedBy: 'holdfast:requested-by',
  breakGlass: 'holdfast:break-glass',
  expires: 'holdfast:expires',
  result: 'holdfast:verification',
  at: 'holdfast:verified-at',
  restoreSeconds: 'holdfast:restore-seconds',
  reason: 'holdfast:verification-reason',
  counts: 'holdfast:counts',
  cloneOf: 'holdfast:clone-of',
  purpose: 'holdfast:purpose',
  operation: 'holdfast:operation',
  begun: 'holdfast:begun',
  reached: 'holdfast:reached',
  snapshot: 'holdfast:snapshot',
  ready: 'holdfast:ready',
  replacedBy: 'holdfast:replaced-by',
} as const;

export type StoredTags = Readonly<Record<string, string>>;

/** Tags by key. */
export function tagsOf(tags: readonly Tag[] | undefined): StoredTags {
  return Object.fromEntries(list(tags).map(({ Key, Value }) => [text(Key), text(Value)]));
}

export function toTagList(tags: StoredTags): Tag[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/**
 * Any text as the value of a tag, as one line: what AWS doesn't allow is written as in quoted-printable, `=C3=A4` for `ä`. What
 * is too long is cut, never within a character.
 */
export function encodeText(words: string): string {
  const line = words.replace(/\s+/g, ' ').trim();
  let value = '';
  for (const character of line) {
    const encoded = /^[A-Za-z0-9 _.:/+@-]$/.test(character)
      ? character
      : [...Buffer.from(character)]
          .map(byte => `=${byte.toString(16).toUpperCase().padStart(2, '0')}`)
          .join('');
    if (value.length + encoded.length > largestValue) return value.trimEnd();
    value += encoded;
  }
  return value;
}

export function decodeText(value: string): string {
  return value.replace(/(?:=[0-9A-F]{2})+/g, encoded =>
    Buffer.from(encoded.replaceAll('=', ''), 'hex').toString(),
  );
}

export function encodeAnnotations({ changeId, requestedBy, breakGlass }: Annotations): StoredTags {
  return {
    ...(changeId === undefined ? {} : { [keys.change]: encodeText(changeId) }),
    ...(requestedBy === undefined ? {} : { [keys.requestedBy]: encodeText(requestedBy) }),
    ...(breakGlass === undefined ? {} : { [keys.breakGlass]: encodeText(breakGlass) }),
  };
}

export function changeIdOf(tags: StoredTags): string | null {
  const change = tags[keys.change];
  return change === undefined ? null : decodeText(change);
}

/** @param digest of the counts, by which they are found */
export function encodeVerification(verification: Verification, digest: string): StoredTags {
  return {
    [keys.result]: verification.result,
    [keys.at]: verification.at,
    [keys.restoreSeconds]: String(verification.restoreSeconds),
    [keys.reason]: encodeText(verification.reason ?? ''),
    [keys.counts]: digest,
  };
}

/**
 * The verification on a snapshot; null when there is none, or none that can be read. How fast WAL is replayed is AWS's own
 * business: a snapshot needs no WAL.
 */
export function decodeVerification(tags: StoredTags): Verification | null {
  const result = tags[keys.result];
  const at = Date.parse(text(tags[keys.at]));
  const restoreSeconds = Number(tags[keys.restoreSeconds] ?? NaN);
  if ((result !== 'passed' && result !== 'failed') || Number.isNaN(at) || !(restoreSeconds >= 0)) return null;
  const reason = decodeText(text(tags[keys.reason]));
  return {
    result,
    at: new Date(at).toISOString(),
    restoreSeconds,
    replayBytesPerSecond: null,
    reason: reason === '' ? null : reason,
  };
}
