import { formatLsn, parseLsn, subtractLsn } from '../../../core/lsn';

test('a position is written as PostgreSQL does', () => {
  expect(parseLsn('16/B374D848')).toBe(0x16_b374_d848n);
  expect(parseLsn(' 0/0 ')).toBe(0n);
  expect(formatLsn(0x16_b374_d848n)).toBe('16/B374D848');
  expect(formatLsn(1n)).toBe('0/1');
});

test('a difference is exact beyond 2^53', () => {
  expect(subtractLsn(parseLsn('FFFFFFFF/FFFFFFFF'), parseLsn('0/1'))).toBe(2n ** 64n - 2n);
  expect(subtractLsn(parseLsn('0/1'), parseLsn('0/3'))).toBe(-2n);
});

test.each(['', '0', '0/', '/1', '0/1G', '123456789/0', '-1/0'])('%p is no position', text =>
  expect(() => parseLsn(text)).toThrow(/is not a position in the WAL/),
);
