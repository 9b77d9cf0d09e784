import fc from 'fast-check';
import { HoldfastError } from '../../../core/errors';
import { checkWithin, parseTarget, parseTime, toPostgresTime } from '../../../core/recovery-target';

const thrown = (run: () => unknown): HoldfastError => {
  try {
    run();
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

describe('a target', () => {
  test('is exactly one of a time, a restore point and the latest', () => {
    expect(parseTarget({ at: '2026-01-02 03:04:05+00' })).toEqual({
      type: 'time',
      at: '2026-01-02T03:04:05.000000Z',
    });
    expect(parseTarget({ restorePoint: 'before-42', latest: false })).toEqual({
      type: 'restore-point',
      name: 'before-42',
    });
    expect(parseTarget({ latest: true })).toEqual({ type: 'latest' });
  });

  test.each([
    [{}, /it is not said to which moment/],
    [{ latest: false }, /it is not said to which moment/],
    [{ latest: true, at: '2026-01-02 03:04:05+00' }, /more than one/],
    [{ restorePoint: 'a', at: '2026-01-02 03:04:05+00' }, /more than one/],
    [{ restorePoint: '' }, /no restore point has the name ""/],
    [{ restorePoint: 'ä'.repeat(32) }, /no restore point has the name/],
  ])('%j is refused', (options, message) => {
    const error = thrown(() => parseTarget(options));
    expect(error.code).toBe('configuration');
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(/--at TIME|1 to 63 bytes/);
  });

  test('a restore point’s name may have 63 bytes', () =>
    expect(parseTarget({ restorePoint: 'x'.repeat(63) })).toMatchObject({ type: 'restore-point' }));
});

describe('a time', () => {
  test.each([
    ['2026-01-02 03:04:05+00', '2026-01-02T03:04:05.000000Z'],
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000000Z'],
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05.000000Z'],
    ['2026-01-02T03:04:05.123456+02:00', '2026-01-02T01:04:05.123456Z'],
    ['2026-01-02 03:04:05.1-0530', '2026-01-02T08:34:05.100000Z'],
    ['2026-01-02 03:04 +05:45', '2026-01-01T21:19:00.000000Z'],
    ['2024-02-29 23:59:59-01', '2024-03-01T00:59:59.000000Z'],
    [' 2026-12-31T23:59:59.999999Z ', '2026-12-31T23:59:59.999999Z'],
  ])('%p is %s', (text, instant) => expect(parseTime(text)).toBe(instant));

  test.each(['2026-01-02 03:04:05', '2026-01-02T03:04:05.123'])('without an offset is refused: %s', text => {
    const error = thrown(() => parseTime(text));
    expect(error).toMatchObject({ code: 'configuration', hint: expect.stringContaining('+00') as string });
    expect(error.message).toMatch(/has no offset/);
  });

  test.each([
    '2026-02-30 00:00:00+00',
    '2025-02-29 00:00:00Z',
    '2026-13-01 00:00:00Z',
    '2026-00-01 00:00:00Z',
    '2026-01-01 24:00:00Z',
    '2026-01-01 00:60:00Z',
    '2026-01-01 00:00:60Z',
    '2026-01-01 00:00:00+16',
    '2026-01-01 00:00:00+01:60',
  ])('that doesn’t exist is refused: %s', text =>
    expect(thrown(() => parseTime(text)).message).toMatch(/doesn’t exist/),
  );

  test.each([
    '',
    'yesterday',
    '2026-01-02',
    '2026-01-02 03:04:05.1234567Z',
    '1767323045',
    '02.01.2026 03:04Z',
  ])('that isn’t one is refused: %p', text =>
    expect(thrown(() => parseTime(text)).message).toMatch(/is not a time/),
  );

  test('is written for PostgreSQL with a space and an offset, and stays the same moment', () => {
    expect(toPostgresTime('2026-01-02T03:04:05.123456Z')).toBe('2026-01-02 03:04:05.123456+00');
    expect(toPostgresTime('2026-01-02T03:04:05.123Z')).toBe('2026-01-02 03:04:05.123000+00');
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('2999-01-01T00:00:00Z'), noInvalidDate: true }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (date, minutes) => {
          const local = new Date(date.getTime() + minutes * 60_000).toISOString().replace('Z', '');
          const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
          const offset = `${minutes < 0 ? '-' : '+'}${two(Math.abs(minutes) / 60)}:${two(Math.abs(minutes) % 60)}`;
          const instant = parseTime(local + offset);
          expect(Date.parse(instant)).toBe(date.getTime());
          expect(parseTime(toPostgresTime(instant))).toBe(instant);
        },
      ),
    );
  });
});

describe('a target within what is restorable', () => {
  const restorable = { from: '2026-01-02T03:00:00Z', until: '2026-01-02T04:00:00.000500Z' };
  const at = (text: string) => () => checkWithin(parseTarget({ at: text }), restorable);

  test.each(['2026-01-02 03:00:00+00', '2026-01-02 03:30:00+00', '2026-01-02 04:00:00.0005+00'])(
    '%s is',
    text => expect(at(text)).not.toThrow(),
  );

  test.each([
    ['2026-01-02 02:59:59.999999+00', /it is before the oldest backup/],
    ['2026-01-02 04:00:00.000501+00', /it is after the last archived WAL/],
  ])('%s isn’t, and the error tells the range', (text, message) => {
    const error = thrown(at(text));
    expect(error.code).toBe('configuration');
    expect(error.message).toMatch(message);
    expect(error.hint).toBe(
      'restorable is from 2026-01-02 03:00:00.000000+00 until 2026-01-02 04:00:00.000500+00',
    );
  });

  test('other targets are looked up by the engine', () => {
    expect(() => checkWithin({ type: 'latest' }, restorable)).not.toThrow();
    expect(() => checkWithin({ type: 'backup-set', id: 'x' }, restorable)).not.toThrow();
  });

  test('nothing is restorable without a backup', () =>
    expect(thrown(() => checkWithin({ type: 'latest' }, null)).message).toMatch(/nothing to go back to/));
});
