import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../../core/durations';

const sizes: Record<string, number> = { s: 1, min: 60, h: 3600, d: 86_400 };
const parts = (text: string) => text.replace(/^-/, '').match(/\d+ [a-z]+/g) ?? [];
const total = (text: string) => parts(text).reduce((sum, part) => sum + parseDuration(part)!, 0);

test('what is written can be read, and loses less than one of the smallest unit that is shown', () =>
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10 * 365 * 86_400 }), seconds => {
      const text = formatDuration(seconds);
      const lost = seconds - total(text);
      const smallest = sizes[parts(text).at(-1)!.split(' ')[1]!]!;
      expect(lost).toBeGreaterThanOrEqual(0);
      expect(lost).toBeLessThan(smallest);
      expect(parts(text).length).toBeLessThanOrEqual(2);
    }),
  ));

test('a whole number of one unit is written with one unit', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 59 }), fc.constantFrom('s', 'min'), (count, unit) =>
      expect(formatDuration(count * sizes[unit]!)).toBe(`${count} ${unit}`),
    ),
  ));

test('a negative one is the positive one with a minus', () =>
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), seconds =>
      expect(formatDuration(-seconds)).toBe(`-${formatDuration(seconds)}`),
    ),
  ));

test('any amount with a unit is read', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1e6 }),
      fc.constantFrom(...Object.keys(sizes)),
      fc.constantFrom('', ' '),
      (amount, unit, space) => expect(parseDuration(`${amount}${space}${unit}`)).toBe(amount * sizes[unit]!),
    ),
  ));
