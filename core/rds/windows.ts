import type { Instant } from '../evidence';
import { milliseconds } from '../time';

/* Windows of the day and of the week as RDS writes them, in UTC: `00:30-01:00`, `sun:04:30-sun:05:30`. */

/** Minutes of a week from Monday on; the end comes after the begin, and may lie in the next week. */
interface Span {
  readonly from: number;
  readonly until: number;
}

const dayMinutes = 1440;
const weekMinutes = 7 * dayMinutes;
const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Minutes that a window lasts, daily or weekly. */
export function windowMinutes(window: string): number {
  return Math.max(...spans(window).map(({ from, until }) => until - from));
}

/** 1970 began on a Thursday. */
const firstMonday = 4 * dayMinutes;

/** When a window begins, daily or weekly: the one that is open now, else the next. */
export function windowBegin(window: string, now: Instant): Instant {
  const minutes = milliseconds(now) / 60_000 - firstMonday;
  const begins = spans(window).map(
    ({ from, until }) => from + (Math.floor((minutes - until) / weekMinutes) + 1) * weekMinutes,
  );
  return new Date((firstMonday + Math.min(...begins)) * 60_000).toISOString();
}

/** Whether a daily and a weekly window have a minute in common. */
export function overlap(one: string, other: string): boolean {
  return spans(one).some(first =>
    spans(other).some(second =>
      // The same week, and those before and after it: a window may go over the end of one.
      [-weekMinutes, 0, weekMinutes].some(
        shift => first.from < second.until + shift && second.from + shift < first.until,
      ),
    ),
  );
}

/** A daily window is one on each of seven days. */
function spans(window: string): Span[] {
  const [begin, end] = window.split('-') as [string, string];
  if (/^[a-z]/.test(begin)) return [span(ofWeek(begin), ofWeek(end), weekMinutes)];
  return days.map((_, day) => {
    const { from, until } = span(ofDay(begin), ofDay(end), dayMinutes);
    return { from: day * dayMinutes + from, until: day * dayMinutes + until };
  });
}

const span = (from: number, end: number, period: number): Span => ({
  from,
  until: end > from ? end : end + period,
});

function ofDay(time: string): number {
  const [hours, minutes] = time.split(':');
  return Number(hours) * 60 + Number(minutes);
}

function ofWeek(time: string): number {
  return days.indexOf(time.slice(0, 3)) * dayMinutes + ofDay(time.slice(4));
}
