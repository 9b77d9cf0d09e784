import { backOffSeconds, mayAttempt, nextAttempt } from '../../../core/back-off';
import { after } from '../../../core/time';
import { now } from './fixtures';

test('it waits five minutes, twice as long after each failure, and never longer than six hours', () =>
  expect([0, 1, 2, 3, 7, 8, 5000].map(backOffSeconds)).toEqual([0, 300, 600, 1200, 19_200, 21_600, 21_600]));

test('the next attempt is that long after the last failure', () =>
  expect(nextAttempt(2, now)).toBe('2026-03-04T12:10:00.000Z'));

test('it may be tried from that moment on', () => {
  expect(mayAttempt(2, now, after(now, 599))).toBe(false);
  expect(mayAttempt(2, now, after(now, 600))).toBe(true);
});

test('a failure in the future, from before the clock was set back, doesn’t hold it up', () =>
  expect(mayAttempt(9, after(now, 86_400), now)).toBe(true));
