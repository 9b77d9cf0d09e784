import { formatDuration } from './durations';
import type { Evidence, KnownCopies, UnknownCopies } from './evidence';
import type { Limits } from './freshness';
import { formatAge } from './judge/finding';
import { secondsBetween } from './time';

/** What is wrong with copies that are kept elsewhere. */
export interface CopyTrouble {
  readonly place: string;
  readonly message: string;
  readonly remedy: string;
}

/**
 * AWS Backup keeps one a day, begins hours after its time when it likes, and copies then. When the newest is two days old, the next
 * one is missing for certain.
 */
const leastLimit = 2 * 86_400;

/**
 * Copies that are missing, older than a backup may be, or can't be asked for. They are told to a person, and no part of the verdict:
 * it is not from them that a change is undone.
 */
export function copyTroubles(evidence: Evidence, limits: Limits): CopyTrouble[] {
  return (evidence.copies ?? []).flatMap(copies =>
    copies.state === 'known' ? lateness(copies, evidence, limits) : ignorance(copies),
  );
}

function ignorance({ state, place, reason, remedy }: UnknownCopies): CopyTrouble[] {
  // Of another account it will never be known from here.
  return state === 'foreign' ? [] : [{ place, message: `nothing is known of ${place}: ${reason}`, remedy }];
}

function lateness(
  { place, count, newestAt }: KnownCopies,
  evidence: Evidence,
  limits: Limits,
): CopyTrouble[] {
  const { observedAt, begunAt } = evidence;
  const limit = count === null ? limits.maximumAge : Math.max(limits.maximumAge, leastLimit);
  // Where there are none yet, the first may be as long in coming.
  const since = newestAt ?? begunAt;
  if (since === null || secondsBetween(since, observedAt) <= limit) return [];
  const message =
    newestAt === null
      ? `there are no ${place}`
      : `the newest of ${place} is ${formatAge(secondsBetween(newestAt, observedAt))}; at most ${formatDuration(limit)} is expected`;
  return [
    {
      place,
      message,
      remedy: 'the console of AWS tells why: the jobs of AWS Backup, the automated backups of RDS',
    },
  ];
}
