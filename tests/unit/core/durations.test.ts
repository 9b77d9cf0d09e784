import { formatDuration, parseDuration } from '../../../core/durations';

test.each([
  ['90 s', 90],
  ['5 min', 300],
  ['1.5 h', 5400],
  ['7d', 604_800],
])('%s is %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

test.each(['', '5', '5 mins', '-5 min', 'five min', '1 month'])('%p is no duration', text =>
  expect(parseDuration(text)).toBeUndefined(),
);

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [200, '3 min 20 s'],
  [93_600, '26 h'],
  [604_800, '7 d'],
  [180_000, '2 d 2 h'],
  [-90, '-1 min 30 s'],
  [5405, '1 h 30 min'],
])('%d seconds read as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
