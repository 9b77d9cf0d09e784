import type { Instant } from './evidence';

/** How far two clocks may differ before one of them counts as wrong. */
export const clockToleranceSeconds = 300;

/** Milliseconds since 1970; NaN when it isn't a moment. */
export function milliseconds(instant: Instant): number {
  return Date.parse(instant);
}

/** Seconds from `earlier` to `later`; negative when they are the other way round, NaN when one isn't a moment. */
export function secondsBetween(earlier: Instant, later: Instant): number {
  return (milliseconds(later) - milliseconds(earlier)) / 1000;
}

/** The moment `seconds` after another. */
export function after(instant: Instant, seconds: number): Instant {
  return new Date(milliseconds(instant) + seconds * 1000).toISOString();
}

/** Whether `instant` lies further ahead of `now` than two clocks may differ (or isn't a moment at all). */
export function isAhead(instant: Instant, now: Instant): boolean {
  return !(secondsBetween(now, instant) <= clockToleranceSeconds);
}

/** The latest of some moments; undefined when there are none. */
export function latest(instants: readonly Instant[]): Instant | undefined {
  let found: Instant | undefined;
  for (const instant of instants)
    if (found === undefined || milliseconds(instant) > milliseconds(found)) found = instant;
  return found;
}
