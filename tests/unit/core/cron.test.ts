import fc from 'fast-check';
import { parseCron } from '../../../core/cron';

const next = (text: string, after: string) => new Date(parseCron(text).next(Date.parse(after))).toISOString();
const latest = (text: string, until: string) =>
  new Date(parseCron(text).latest(Date.parse(until))).toISOString();

test('the next time lies after an instant, the latest one may be that instant', () => {
  expect(next('30 1 * * *', '2026-01-02T01:30:00Z')).toBe('2026-01-03T01:30:00.000Z');
  expect(next('30 1 * * *', '2026-01-02T01:29:59.999Z')).toBe('2026-01-02T01:30:00.000Z');
  expect(latest('30 1 * * *', '2026-01-02T01:29:59.999Z')).toBe('2026-01-01T01:30:00.000Z');
  expect(latest('30 1 * * *', '2026-01-02T01:30:00Z')).toBe('2026-01-02T01:30:00.000Z');
});

test('Sunday is 0, 7 and sun', () => {
  for (const sunday of ['0', '7', 'sun', 'SUN', '7-7'])
    expect(next(`0 0 * * ${sunday}`, '2026-01-02T00:00:00Z')).toBe('2026-01-04T00:00:00.000Z');
});

test('where day of month and day of week are both named, one of them is enough', () => {
  expect(next('0 0 13 * 5', '2026-02-07T00:00:00Z')).toBe('2026-02-13T00:00:00.000Z');
  expect(next('0 0 15 * 5', '2026-02-13T00:00:00Z')).toBe('2026-02-15T00:00:00.000Z');
});

test('29 February is found over the eight years around 2100', () => {
  expect(next('0 0 29 2 *', '2096-03-01T00:00:00Z')).toBe('2104-02-29T00:00:00.000Z');
  expect(latest('0 0 29 2 *', '2104-02-28T00:00:00Z')).toBe('2096-02-29T00:00:00.000Z');
});

test('summer time of where we are changes nothing', () => {
  const { TZ } = process.env;
  process.env.TZ = 'Europe/Zurich';
  try {
    expect(next('30 1 * * *', '2026-03-29T00:00:00Z')).toBe('2026-03-29T01:30:00.000Z');
    expect(latest('30 1 * * *', '2026-10-25T01:45:00Z')).toBe('2026-10-25T01:30:00.000Z');
  } finally {
    if (TZ === undefined) delete process.env.TZ;
    else process.env.TZ = TZ;
  }
});

test('between an instant and the times around it there is none', () =>
  fc.assert(
    fc.property(
      fc.tuple(
        fc.integer({ min: 0, max: 59 }),
        fc.constantFrom('*', '*/7', '3', '8-17/3'),
        fc.constantFrom('*', '13', '31', '28-31'),
        fc.constantFrom('*', '2', '1-12/5'),
        fc.constantFrom('*', '0', '1-5'),
      ),
      fc.integer({ min: Date.parse('2025-01-01'), max: Date.parse('2040-01-01') }),
      (fields, at) => {
        const text = fields.join(' ');
        fc.pre(!text.endsWith(' 31 2 *'));
        const time = parseCron(text);
        expect(time.next(time.latest(at))).toBe(time.next(at));
        expect(time.latest(time.next(at) - 1)).toBe(time.latest(at));
        expect(time.latest(time.next(at))).toBe(time.next(at));
      },
    ),
  ));

test.each([
  ['1 * * *', 'five fields are needed'],
  ['0 30 1 * * *', 'five fields are needed'],
  ['@daily', 'five fields are needed'],
  ['60 * * * *', /^Invalid value for minute$/],
  ['* 24 * * *', /^Invalid value for hour$/],
  ['* * 0 * *', /^Invalid value for day$/],
  ['* * * 13 *', /^Invalid value for month$/],
  ['* * * * 8', /^Invalid value for dayOfWeek$/],
  ['5-1 * * * *', 'From value is larger than to value'],
  ['*/0 * * * *', 'illegal stepping'],
  ['1.5 * * * *', 'illegal characters'],
  ['0 0 30 2 *', 'there is no such day'],
  ['0 0 31 4,6,9,11 *', 'there is no such day'],
])('%s is refused: %s', (text, problem) => {
  expect(() => parseCron(text)).toThrow(problem);
});
