import type { Tag } from '@aws-sdk/client-rds';
import { list, text } from './answers';
import type { Verification } from '../../core/evidence';
import { tagKeys } from '../../core/rds/names';
import type { Annotations } from '../engine';

/*
 * What Holdfast keeps on snapshots and clones, as tags: it lives and expires with them. A value has at most 256 characters,
 * and only letters, digits, spaces and `_ . : / = + - @` (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html).
 */

const largestValue = 256;

export { tagKeys as keys };

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
    ...(changeId === undefined ? {} : { [tagKeys.change]: encodeText(changeId) }),
    ...(requestedBy === undefined ? {} : { [tagKeys.requestedBy]: encodeText(requestedBy) }),
    ...(breakGlass === undefined ? {} : { [tagKeys.breakGlass]: encodeText(breakGlass) }),
  };
}

export function changeIdOf(tags: StoredTags): string | null {
  const change = tags[tagKeys.change];
  return change === undefined ? null : decodeText(change);
}

/** @param digest of the counts, by which they are found */
export function encodeVerification(verification: Verification, digest: string): StoredTags {
  return {
    [tagKeys.result]: verification.result,
    [tagKeys.at]: verification.at,
    [tagKeys.restoreSeconds]: String(verification.restoreSeconds),
    [tagKeys.reason]: encodeText(verification.reason ?? ''),
    [tagKeys.counts]: digest,
  };
}

/**
 * The verification on a snapshot; null when there is none, or none that can be read. How fast WAL is replayed is AWS's own
 * business: a snapshot needs no WAL.
 */
export function decodeVerification(tags: StoredTags): Verification | null {
  const result = tags[tagKeys.result];
  const at = Date.parse(text(tags[tagKeys.at]));
  const restoreSeconds = Number(tags[tagKeys.restoreSeconds] ?? NaN);
  if ((result !== 'passed' && result !== 'failed') || Number.isNaN(at) || !(restoreSeconds >= 0)) return null;
  const reason = decodeText(text(tags[tagKeys.reason]));
  return {
    result,
    at: new Date(at).toISOString(),
    restoreSeconds,
    replayBytesPerSecond: null,
    reason: reason === '' ? null : reason,
  };
}
