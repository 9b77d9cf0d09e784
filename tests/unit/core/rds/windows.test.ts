import fc from 'fast-check';
import { overlap, windowMinutes, windowBegin } from '../../../../core/rds/windows';

test.each([
  ['00:30-01:00', 30],
  ['23:45-00:15', 30],
  ['sun:04:30-sun:05:30', 60],
  ['sun:23:30-mon:00:30', 60],
])('%s lasts %d minutes', (window, minutes) => {
  expect(windowMinutes(window)).toBe(minutes);
});

test.each([
  ['04:00-04:30', 'sun:04:30-sun:05:30', false],
  ['04:00-04:31', 'sun:04:30-sun:05:30', true],
  ['05:30-06:00', 'sun:04:30-sun:05:30', false],
  ['04:45-05:00', 'sun:04:30-sun:05:30', true],
  ['23:45-00:15', 'wed:00:00-wed:01:00', true],
  ['23:45-00:15', 'mon:00:00-mon:01:00', true],
  ['00:00-00:30', 'sun:23:30-mon:00:15', true],
  ['22:00-23:00', 'sun:23:30-mon:00:15', false],
])('%s and %s: overlap is %s', (daily, weekly, expected) => {
  expect(overlap(daily, weekly)).toBe(expected);
  expect(overlap(weekly, daily)).toBe(expected);
});

test('two windows overlap exactly when a minute lies in both', () => {
  const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60) % 24).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  const weekly = (minute: number) => `${days[Math.floor(minute / 1440) % 7]!}:${clock(minute % 1440)}`;
  const inDaily = (from: number, length: number, minute: number) =>
    (((minute - from) % 1440) + 1440) % 1440 < length;
  const inWeekly = (from: number, length: number, minute: number) =>
    (((minute - from) % 10_080) + 10_080) % 10_080 < length;
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1439 }),
      fc.integer({ min: 1, max: 1439 }),
      fc.integer({ min: 0, max: 10_079 }),
      fc.integer({ min: 1, max: 1440 }),
      (dayFrom, dayLength, weekFrom, weekLength) => {
        const daily = `${clock(dayFrom)}-${clock((dayFrom + dayLength) % 1440)}`;
        const ofWeek = `${weekly(weekFrom)}-${weekly((weekFrom + weekLength) % 10_080)}`;
        const shared = Array.from({ length: 10_080 }, (_, minute) => minute).some(
          minute => inDaily(dayFrom, dayLength, minute) && inWeekly(weekFrom, weekLength, minute),
        );
        expect(overlap(daily, ofWeek)).toBe(shared);
      },
    ),
    { numRuns: 60 },
  );
});

describe('a maintenance window begins', () => {
  // A Thursday.
  const now = '2026-01-15T12:00:00.000Z';

  test.each([
    ['later this week', 'sat:03:00-sat:03:30', '2026-01-17T03:00:00.000Z'],
    ['earlier this week: the next one', 'tue:22:05-tue:22:35', '2026-01-20T22:05:00.000Z'],
    ['now, while it is open', 'thu:11:45-thu:12:15', '2026-01-15T11:45:00.000Z'],
    ['in a week, when it is just over', 'thu:11:30-thu:12:00', '2026-01-22T11:30:00.000Z'],
  ])('%s', (_, window, begin) => {
    expect(windowBegin(window, now)).toBe(begin);
  });

  test('at the end of a week, and is open at the begin of the next', () => {
    const window = 'sun:23:45-mon:00:45';
    expect(windowBegin(window, '2026-01-18T23:50:00Z')).toBe('2026-01-18T23:45:00.000Z');
    expect(windowBegin(window, '2026-01-19T00:15:00Z')).toBe('2026-01-18T23:45:00.000Z');
    expect(windowBegin(window, '2026-01-19T00:45:00Z')).toBe('2026-01-25T23:45:00.000Z');
  });
});
