import type { Instant } from './evidence';
import { after, isAhead, secondsBetween } from './time';

const firstDelaySeconds = 300;
const longestDelaySeconds = 6 * 3600;

/** Seconds to wait after so many failures in a row: 5 min, doubled each time, at most 6 h; 0 after none. */
export function backOffSeconds(failures: number): number {
  if (failures <= 0) return 0;
  return Math.min(longestDelaySeconds, firstDelaySeconds * 2 ** (failures - 1));
}

/** When a job that failed so many times in a row may be tried again. */
export function nextAttempt(failures: number, lastFailureAt: Instant): Instant {
  return after(lastFailureAt, backOffSeconds(failures));
}

/** Whether it may be tried now. A failure that lies in the future (the clock was set back) doesn't hold it up. */
export function mayAttempt(failures: number, lastFailureAt: Instant, now: Instant): boolean {
  if (isAhead(lastFailureAt, now)) return true;
  return secondsBetween(lastFailureAt, now) >= backOffSeconds(failures);
}
