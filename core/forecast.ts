import type { Instant } from './evidence';
import { after, milliseconds, secondsBetween } from './time';

/** How much of a repository was in use at a moment. */
export interface Usage {
  readonly at: Instant;
  readonly usedBytes: number;
}

const leastSpanSeconds = 86_400;
const leastPoints = 3;
const mostPoints = 200;
const horizonSeconds = 10 * 365 * 86_400;

/**
 * The moment at which a repository will be full; null when that isn't known (fewer than three observations, or less than a
 * day between them, or no limit), or when it isn't filling (or not within ten years).
 *
 * The growth is the median of the slopes between all pairs of observations (Theil and Sen): the saw-tooth that expiry makes
 * of the usage and single outliers hardly shift it. A jump that lasts counts as growth: rather too early than too late.
 */
export function fullOn(history: readonly Usage[], freeBytes: number | null, now: Instant): Instant | null {
  if (freeBytes === null) return null;
  if (freeBytes <= 0) return now;
  const growth = growthPerSecond(history.filter(({ at }) => milliseconds(at) <= milliseconds(now)));
  if (growth === null || growth <= 0) return null;
  const seconds = freeBytes / growth;
  return seconds > horizonSeconds ? null : after(now, seconds);
}

function growthPerSecond(history: readonly Usage[]): number | null {
  const points = [...history].sort((a, b) => milliseconds(a.at) - milliseconds(b.at)).slice(-mostPoints);
  const [first, last] = [points.at(0), points.at(-1)];
  if (first === undefined || last === undefined || points.length < leastPoints) return null;
  if (secondsBetween(first.at, last.at) < leastSpanSeconds) return null;
  const slopes = points.flatMap((earlier, index) =>
    points.slice(index + 1).flatMap(later => {
      const seconds = secondsBetween(earlier.at, later.at);
      return seconds > 0 ? [(later.usedBytes - earlier.usedBytes) / seconds] : [];
    }),
  );
  return median(slopes);
}

/** The middle of some numbers (the mean of the two in the middle). */
function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
