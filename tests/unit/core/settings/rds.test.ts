import { z } from 'zod';
import { rds } from '../../../../core/settings/rds';
import { leaves } from '../../../../core/settings/schema';

const minimal = { instance: 'shop-production', region: 'eu-central-1' };

test('an instance needs its identifier and its region: the rest is safe by default', () => {
  expect(rds.parse(minimal)).toEqual({
    ...minimal,
    source: 'managed',
    snapshots: { keepFor: 14 * 86_400, keepForChange: 30 * 86_400 },
    waitUpTo: 12 * 3600,
  });
});

test('parsed settings can be written and read again', () => {
  const parsed = rds.parse({ ...minimal, cloneClass: 'db.t4g.medium', snapshots: { keepFor: '2 d' } });
  expect(rds.parse(z.encode(rds, parsed))).toEqual(parsed);
});

test.each([
  ['instance', 'Shop'],
  ['instance', 'shop--db'],
  ['instance', 'shop-'],
  ['instance', '1shop'],
  ['instance', 'a'.repeat(64)],
  ['region', 'frankfurt'],
  ['source', 'adopted'],
  ['cloneClass', 't4g.medium'],
  ['quarantineSecurityGroup', 'default'],
  ['certificateAuthorities', 'bundle.pem'],
  ['waitUpTo', '12'],
  ['tags', {}],
])('%s can’t be %j', (key, value) => {
  expect(rds.safeParse({ ...minimal, [key]: value }).success).toBe(false);
});

test('every setting is explained', () => {
  expect(leaves(rds).filter(({ setting }) => setting.description === undefined)).toEqual([]);
});
