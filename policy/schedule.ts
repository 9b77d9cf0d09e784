import { parseCron, type CronTime } from '../core/cron';
import type { Instant } from '../core/evidence';
import { milliseconds } from '../core/time';

/** Long enough for what repeats monthly; every step costs time in each preview. */
const horizonMilliseconds = 62 * 86_400_000;
/** For limits of a few minutes the horizon would take a second; a week is seen all the same. */
const maximumSteps = 2000;

/**
 * The first pause longer than `limit` (seconds) between two of the scheduled times of any of `crons`, looking ahead for two months; null
 * when there is none. `never` among them counts for nothing; at least one is a time.
 */
export function pauseBeyond(crons: readonly string[], limit: number, now: Instant): number | null {
  const schedules = crons.filter(cron => cron !== 'never').map(parseCron);
  const end = milliseconds(now) + horizonMilliseconds;
  let last = nextTime(schedules, milliseconds(now));
  for (let step = 0; step < maximumSteps && last < end; step++) {
    // The last time within the limit; whatever lies between it and `last` can only be denser.
    const within = previousTime(schedules, last + limit * 1000);
    if (within <= last) return (nextTime(schedules, last) - last) / 1000;
    last = within;
  }
  return null;
}

function nextTime(schedules: readonly CronTime[], after: number): number {
  return Math.min(...schedules.map(schedule => schedule.next(after)));
}

/** The newest time that is not after `until`. */
function previousTime(schedules: readonly CronTime[], until: number): number {
  return Math.max(...schedules.map(schedule => schedule.latest(until)));
}
