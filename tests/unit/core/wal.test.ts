import { parseLsn } from '../../../core/lsn';
import { isHistoryName, parseHistory } from '../../../core/timeline';
import {
  compareSegments,
  formatSegment,
  gaps,
  isSegmentName,
  nextSegment,
  parseSegment,
  segmentOf,
} from '../../../core/wal';

const size = 16 * 1024 * 1024;
const mebibyte = 1024 * 1024;
/** The name of the n-th segment of a timeline. */
const segment = (number: number, timeline = 1) => formatSegment({ timeline, number: BigInt(number) }, size);
const run = (from: number, to: number, timeline = 1) =>
  Array.from({ length: to - from + 1 }, (_, index) => segment(from + index, timeline));

test('a name is timeline, log and segment in hexadecimal digits', () => {
  expect(parseSegment('000000020000000A000000FF', size)).toEqual({ timeline: 2, number: 10n * 256n + 255n });
  expect(formatSegment({ timeline: 2, number: 10n * 256n + 255n }, size)).toBe('000000020000000A000000FF');
});

test('the segment after the last one of a log is the first of the next, as many as the segment size allows', () => {
  expect(nextSegment('0000000100000000000000FF', size)).toBe('000000010000000100000000');
  expect(nextSegment('000000010000000000000FFF', mebibyte)).toBe('000000010000000100000000');
  expect(nextSegment('000000010000000000000003', 1024 * mebibyte)).toBe('000000010000000100000000');
});

test.each(['00000001000000000000000', '00000002.history', '000000010000000000000001.partial', ''])(
  '%p is no segment',
  name => {
    expect(isSegmentName(name)).toBe(false);
    expect(() => parseSegment(name, size)).toThrow(/is not the name of a WAL segment/);
  },
);

test('a name that this segment size can’t have is refused', () => {
  expect(parseSegment('000000010000000000000100', mebibyte).number).toBe(256n);
  expect(() => parseSegment('000000010000000000000100', size)).toThrow(/is not the name/);
});

test.each([0, 1000, 512 * 1024, 2048 * mebibyte, 3 * mebibyte])('a segment can’t have %d bytes', bytes =>
  expect(() => parseSegment(segment(1), bytes)).toThrow(/can’t have/),
);

test('segments are ordered by their place in the WAL, then by timeline', () => {
  const names = [segment(3), segment(2, 2), segment(2), segment(300), segment(1, 3)];
  expect(names.sort((a, b) => compareSegments(a, b, size))).toEqual([
    segment(1, 3),
    segment(2),
    segment(2, 2),
    segment(3),
    segment(300),
  ]);
});

test('a position on a boundary is in the segment that begins there', () => {
  expect(segmentOf(parseLsn('0/1000000'), 1, size)).toBe('000000010000000000000001');
  expect(segmentOf(parseLsn('0/FFFFFF'), 1, size)).toBe('000000010000000000000000');
  expect(segmentOf(parseLsn('FFFFFFFF/FFFFFFFF'), 7, size)).toBe('00000007FFFFFFFF000000FF');
});

describe('gaps on one timeline', () => {
  const missing = (segments: string[], from = { segment: segment(2) }) =>
    gaps(segments, from, size).map(gap => [gap.timeline, gap.from, gap.to]);

  test('there are none when every segment is there, in whatever order, and other files don’t matter', () =>
    expect(missing([...run(2, 9).reverse(), segment(2), '00000001.history', 'x.backup', segment(0)])).toEqual(
      [],
    ));

  test('one in the middle, several, and several gaps', () =>
    expect(missing([...run(2, 3), ...run(5, 6), ...run(10, 11)])).toEqual([
      [1, segment(4), segment(4)],
      [1, segment(7), segment(9)],
    ]));

  test('the first segment of the backup set', () =>
    expect(missing(run(3, 5))).toEqual([[1, segment(2), segment(2)]]));

  test('what lies before the backup set isn’t needed', () =>
    expect(missing([segment(0), ...run(2, 5)])).toEqual([]));

  test('the segments in which the backup set stops', () =>
    expect(missing(run(2, 4), { segment: segment(2), through: segment(6) } as never)).toEqual([
      [1, segment(5), segment(6)],
    ]));

  test('everything, when nothing is there', () => expect(missing([])).toEqual([[1, segment(2), segment(2)]]));

  test('across the end of a log', () =>
    expect(missing([...run(2, 254), ...run(257, 258)])).toEqual([[1, segment(255), segment(256)]]));
});

describe('gaps over timelines', () => {
  /** Timeline 2 left timeline 1 inside segment 5; timeline 3 left 2 inside segment 8. */
  const second = parseHistory('00000002.history', '1\t0/5800000\tno recovery target specified\n');
  const third = parseHistory(
    '00000003.history',
    '1\t0/5800000\tno recovery target specified\n\n2\t0/8000028\tbefore 2026-01-02\n',
  );
  const from = { segment: segment(2) };

  test('the segment of the branch is completed on the new timeline', () =>
    expect(gaps([...run(2, 4), ...run(5, 7, 2)], from, size, [second])).toEqual([]));

  test('what was archived on the old timeline after the branch isn’t needed', () =>
    expect(gaps([...run(2, 4), segment(9), ...run(5, 7, 2)], from, size, [second])).toEqual([]));

  test('missing before the branch, and from the branch on', () =>
    expect(gaps([...run(2, 3), ...run(6, 7, 2)], from, size, [second])).toEqual([
      { timeline: 1, from: segment(4), to: segment(4) },
      { timeline: 2, from: segment(5, 2), to: segment(5, 2) },
    ]));

  test('through several timelines', () => {
    const all = [...run(2, 4), ...run(5, 7, 2), ...run(8, 9, 3)];
    expect(gaps(all, from, size, [second, third])).toEqual([]);
    expect(
      gaps(
        all.filter(name => name !== segment(7, 2)),
        from,
        size,
        [third],
      ),
    ).toEqual([{ timeline: 2, from: segment(7, 2), to: segment(7, 2) }]);
  });

  test('a backup set on a later timeline needs nothing of the ones before', () =>
    expect(gaps([...run(6, 7, 2), ...run(8, 9, 3)], { segment: segment(6, 2) }, size, [third])).toEqual([]));

  test('an abandoned timeline isn’t needed', () => {
    const history = parseHistory('00000003.history', '1\t0/5800000\treason\n');
    expect(gaps([...run(2, 4), segment(6, 2), ...run(5, 9, 3)], from, size, [history])).toEqual([]);
  });

  test('the WAL of a backup set on an abandoned timeline leads to its own end only', () => {
    const history = parseHistory('00000003.history', '1\t0/5800000\treason\n');
    expect(gaps([...run(6, 9, 2), ...run(7, 12, 3)], { segment: segment(6, 2) }, size, [history])).toEqual(
      [],
    );
  });

  test('without a history each timeline goes on where the one before ended, at the latest', () => {
    expect(gaps([...run(2, 5), ...run(5, 7, 2)], from, size)).toEqual([]);
    expect(gaps([...run(2, 4), ...run(5, 7, 2)], from, size)).toEqual([]);
    expect(gaps([...run(8, 9, 3), ...run(5, 7, 2), ...run(2, 4)], from, size)).toEqual([]);
    expect(gaps([...run(2, 4), ...run(6, 7, 2)], from, size)).toEqual([
      { timeline: 2, from: segment(5, 2), to: segment(5, 2) },
    ]);
  });

  test('a history has the name of its timeline', () => {
    expect(isHistoryName('0000000A.history')).toBe(true);
    expect(isHistoryName('0000000A.history.gz')).toBe(false);
  });

  test('a history that isn’t one is refused', () => {
    expect(() => parseHistory('2.history', '')).toThrow(/is not the name of a timeline history/);
    expect(() => parseHistory('00000002.history', 'garbage')).toThrow(/has a line that is not/);
    expect(() => parseHistory('00000002.history', '1 x')).toThrow(/is not a position/);
    expect(parseHistory('0000000A.history', '# none\n')).toEqual({ timeline: 10, ancestors: [] });
  });
});
