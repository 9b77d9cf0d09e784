import { HoldfastError } from './errors';
import type { Instant } from './evidence';

/** Where recovery stops. */
export type RecoveryTarget =
  | { readonly type: 'latest' }
  | { readonly type: 'time'; readonly at: Instant }
  | { readonly type: 'restore-point'; readonly name: string }
  /** As soon as the backup set is consistent; what a verification restores. */
  | { readonly type: 'backup-set'; readonly id: string };

const example = 'for example "2026-01-02 03:04:05+00"';
const pattern =
  /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?\s?(Z|[+-]\d\d(?::?\d\d)?)?$/i;

/**
 * The target that a person names; exactly one of the three.
 * @throws HoldfastError `configuration` when there is none or more than one, or a time is malformed or has no offset.
 */
export function parseTarget(options: {
  readonly at?: string | undefined;
  readonly restorePoint?: string | undefined;
  readonly latest?: boolean | undefined;
}): RecoveryTarget {
  const { at, restorePoint } = options;
  const named = [at !== undefined, restorePoint !== undefined, options.latest === true].filter(Boolean);
  if (named.length !== 1)
    throw new HoldfastError(
      'configuration',
      named.length === 0
        ? 'it is not said to which moment to go back'
        : 'more than one moment to go back to is named',
      { hint: 'name exactly one of --at TIME, --restore-point NAME and --latest' },
    );
  if (at !== undefined) return { type: 'time', at: parseTime(at) };
  if (restorePoint === undefined) return { type: 'latest' };
  if (restorePoint.trim() === '' || Buffer.byteLength(restorePoint) > 63)
    throw new HoldfastError(
      'configuration',
      `no restore point has the name ${JSON.stringify(restorePoint)}`,
      {
        hint: 'a name has 1 to 63 bytes; `holdfast status` lists the restore points',
      },
    );
  return { type: 'restore-point', name: restorePoint };
}

/**
 * A time with an offset as an instant in UTC, to the microsecond.
 * @throws HoldfastError `configuration` when it is malformed, doesn't exist or has no offset.
 */
export function parseTime(text: string): Instant {
  const match = pattern.exec(text.trim());
  if (!match)
    throw new HoldfastError('configuration', `${JSON.stringify(text)} is not a time`, {
      hint: `write date, time and offset, ${example}`,
    });
  const offset = match[8];
  if (offset === undefined)
    throw new HoldfastError(
      'configuration',
      `${JSON.stringify(text)} has no offset, so it would mean another moment on another machine`,
      { hint: `append the offset, +00 for UTC: ${example}` },
    );
  const field = (index: number) => Number(match[index] ?? 0);
  const local = Date.UTC(field(1), field(2) - 1, field(3), field(4), field(5), field(6));
  const offsetSeconds = parseOffset(offset);
  const given = [1, 2, 3, 4, 5].map(index => match[index]).join();
  const kept = new Date(local).toISOString().slice(0, 16).split(/[-T:]/).join();
  if (given !== kept || field(6) > 59 || offsetSeconds === undefined)
    throw new HoldfastError('configuration', `the time ${JSON.stringify(text)} doesn’t exist`, {
      hint: `check day, hour and offset, ${example}`,
    });
  const seconds = new Date(local - offsetSeconds * 1000).toISOString().slice(0, 19);
  return `${seconds}.${(match[7] ?? '').padEnd(6, '0')}Z`;
}

/** Seconds east of UTC; undefined when there is no such offset. */
function parseOffset(offset: string): number | undefined {
  if (/^z$/i.test(offset)) return 0;
  const hours = Number(offset.slice(1, 3));
  const minutes = Number(offset.slice(3).replace(':', '') || '0');
  if (hours > 15 || minutes > 59) return undefined;
  return (offset.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/** As PostgreSQL and pgBackRest want it: a space, not `T`, and an offset; without one it would be host-local. */
export function toPostgresTime(instant: Instant): string {
  return parseTime(instant).replace('T', ' ').replace('Z', '+00');
}

/**
 * Checks that a target can be reached at all. Only a time can be checked so: restore points and backup sets are looked up
 * by the engine.
 * @throws HoldfastError `configuration` when it lies outside, saying the range.
 */
export function checkWithin(
  target: RecoveryTarget,
  restorable: { readonly from: Instant; readonly until: Instant } | null,
): void {
  if (restorable === null)
    throw new HoldfastError('configuration', 'there is nothing to go back to: no usable backup', {
      hint: '`holdfast status` shows the backups',
    });
  if (target.type !== 'time') return;
  const from = parseTime(restorable.from);
  const until = parseTime(restorable.until);
  const at = parseTime(target.at);
  // All are UTC and of one length now, so that their order as text is their order in time, to the microsecond.
  if (at >= from && at <= until) return;
  throw new HoldfastError(
    'configuration',
    `${toPostgresTime(at)} can’t be restored: it is ${at < from ? 'before the oldest backup' : 'after the last archived WAL'}`,
    { hint: `restorable is from ${toPostgresTime(from)} until ${toPostgresTime(until)}` },
  );
}
