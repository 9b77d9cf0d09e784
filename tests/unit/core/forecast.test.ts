import { fullOn, type Usage } from '../../../core/forecast';
import { ago, now } from './fixtures';

const day = 86_400;
const gigabyte = 1e9;
/** A day apart each, the last one now. */
const daily = (...used: number[]): Usage[] =>
  used.map((usedBytes, index) => ({ at: ago((used.length - 1 - index) * day), usedBytes }));

test('steady growth is carried on', () =>
  expect(fullOn(daily(1, 2, 3, 4).map(scale), 10 * gigabyte, now)).toBe('2026-03-14T12:00:00.000Z'));

test('neither a single outlier nor the saw-tooth of expiry shifts it much', () => {
  const outlier = fullOn(daily(1, 2, 3, 54, 5, 6, 7).map(scale), 10 * gigabyte, now);
  expect(outlier).toBe('2026-03-14T12:00:00.000Z');
  const weeks = [1, 2, 3, 4, 5, 6, 7].map(used => used + 5);
  const sawtooth = fullOn(daily(...weeks, ...weeks, ...weeks, ...weeks).map(scale), 10 * gigabyte, now)!;
  expect(Date.parse(sawtooth)).toBeGreaterThan(Date.parse('2026-06-01T00:00:00Z'));
});

test('a jump that lasts counts as growth', () =>
  expect(Date.parse(fullOn(daily(1, 2, 3, 54, 55, 56, 57).map(scale), 10 * gigabyte, now)!)).toBeLessThan(
    Date.parse('2026-03-14T12:00:00.000Z'),
  ));

test('the order of the observations doesn’t matter', () =>
  expect(fullOn(daily(1, 2, 3, 4).map(scale).reverse(), 10 * gigabyte, now)).toBe(
    '2026-03-14T12:00:00.000Z',
  ));

test('a full repository is full now', () => expect(fullOn([], 0, now)).toBe(now));

describe('it isn’t known', () => {
  test.each<[string, Usage[]]>([
    ['without observations', []],
    ['with two', daily(1, 2).map(scale)],
    [
      'within a day',
      [1, 2, 3].map(index => ({ at: ago(10_000 - index * 1000), usedBytes: index * gigabyte })),
    ],
    [
      'from observations of the future',
      daily(1, 2, 3, 4).map(({ usedBytes }, i) => ({ at: ago(-day - i), usedBytes })),
    ],
  ])('%s', (_, history) => expect(fullOn(history, 10 * gigabyte, now)).toBeNull());

  test('where there is no limit', () => expect(fullOn(daily(1, 2, 3).map(scale), null, now)).toBeNull());
});

test.each([
  ['that shrinks', [4, 3, 2, 1]],
  ['that stays', [4, 4, 4, 4]],
  ['that grows by next to nothing', [1, 1 + 1e-6, 1 + 2e-6]],
])('a repository %s won’t be full', (_, used) =>
  expect(fullOn(daily(...used).map(scale), 10 * gigabyte, now)).toBeNull(),
);

test('two observations of the same moment have no slope', () => {
  const history = [...daily(1, 2, 3), { at: now, usedBytes: 3 }].map(scale);
  expect(fullOn(history, 10 * gigabyte, now)).toBe('2026-03-14T12:00:00.000Z');
});

test('only the newest 200 observations count', () => {
  const old = Array.from({ length: 300 }, (_, index) => ({ at: ago((600 - index) * day), usedBytes: 0 }));
  const recent = Array.from({ length: 200 }, (_, index) => ({
    at: ago((199 - index) * day),
    usedBytes: index * gigabyte,
  }));
  expect(fullOn([...old, ...recent], 10 * gigabyte, now)).toBe('2026-03-14T12:00:00.000Z');
});

function scale({ at, usedBytes }: Usage): Usage {
  return { at, usedBytes: usedBytes * gigabyte };
}
