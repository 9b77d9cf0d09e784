import fc from 'fast-check';
import { HoldfastError } from '../../../core/errors';
import { parseStack } from '../../../core/settings/parse';
import type { HostClusterSettings } from '../../../core/settings/stack';
import { parseHostSpecification, type HostSpecification } from '../../../core/specification';

const secret = 'hunter2 hunter2 hunter2';
const specificationOf = (cluster: unknown, alerts: unknown = {}): HostSpecification => {
  const settings = parseStack({ environment: 'production', clusters: { shop: cluster }, alerts });
  return {
    schema: 1,
    stack: 'holdfast/prod',
    environment: 'production',
    cluster: 'shop',
    settings: settings.clusters.shop as HostClusterSettings,
    alerts: settings.alerts,
  };
};
const roundTrip = (given: HostSpecification) => parseHostSpecification(JSON.parse(JSON.stringify(given)));

const full = specificationOf(
  {
    source: {
      mode: 'managed',
      port: 5440,
      listenAddresses: ['0.0.0.0'],
      allow: ['10.0.0.0/8'],
      tls: { certificate: '/c', key: '/k' },
      settings: { work_mem: '64MB', max_connections: 50, jit: false },
    },
    connection: { type: 'ssh', host: 'db1', user: 'u', privateKeyPath: '/k', hostKey: 'ssh-ed25519 AAAA' },
    databases: { shop: { applicationRoles: ['shop_app'] } },
    backups: {
      maximumAge: '90 min',
      schedules: { incremental: '0 * * * *', differential: 'never' },
      repositories: [{ type: 'local', encryption: true, passphrase: secret }],
      verification: { checks: [{ database: 'shop', name: 'n', sql: 'select true' }] },
    },
  },
  { webhook: 'https://hooks.example.com/x', command: ['/bin/page'], repeatAfter: '1 h' },
);

test('a specification survives being written as JSON, with every default and all durations in seconds', () => {
  for (const given of [full, specificationOf({})]) expect(roundTrip(given)).toEqual(given);
  expect(roundTrip(full).settings.backups).toMatchObject({ maximumAge: 5400, rto: 3600 });
});

test('any duration survives it, fractions too', () =>
  fc.assert(
    fc.property(
      fc.double({ min: 0.001, max: 1e8, noNaN: true }).map(amount => amount.toFixed(3)),
      fc.constantFrom('s', 'min', 'h', 'd'),
      (amount, unit) => {
        fc.pre(Number(amount) > 0);
        const given = specificationOf({ backups: { rto: `${amount} ${unit}` } });
        expect(roundTrip(given)).toEqual(given);
      },
    ),
  ));

const messageOf = (json: unknown): string => {
  try {
    parseHostSpecification(json);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'configuration') return error.describe();
    throw error;
  }
  return '';
};
test.each<[string, unknown, string]>([
  ['nothing', undefined, '*: is missing'],
  ['text', 'x', '*: must be a map'],
  ['another schema', { ...full, schema: 2 }, 'schema: must be 1, not 2'],
  ['an unknown key', { ...full, extra: 1 }, 'extra: there is no such key'],
  [
    'a missing setting',
    { ...full, settings: { ...full.settings, owner: undefined } },
    'settings.owner: is missing',
  ],
  ['settings that were not parsed', { ...full, settings: {} }, 'settings.source: is missing'],
  [
    'a duration as text',
    { ...full, alerts: { repeatAfter: '6 h' } },
    'alerts.repeatAfter: must be a number, not "6 h"',
  ],
  [
    'a duration of nothing',
    { ...full, alerts: { repeatAfter: 0 } },
    'alerts.repeatAfter: must be at least 0, not 0',
  ],
  ['another cluster name', { ...full, cluster: '../etc' }, 'cluster: a name has lower-case letters'],
])('%s is refused', (_, json, message) => expect(messageOf(json)).toContain(message));

test.each<[string, object, string]>([
  [
    'too short',
    { type: 'local', encryption: true, passphrase: 'hunter2' },
    'settings.backups.repositories[0].passphrase: must have at least 16 characters',
  ],
  [
    'of another type',
    { type: 's3', key: { hunter2: 'hunter2' }, keySecret: 7 },
    'settings.backups.repositories[0].keySecret: must be text',
  ],
])('it never tells a secret: %s', (_, repository, expected) => {
  const { backups } = full.settings;
  const message = messageOf({
    ...full,
    settings: { ...full.settings, backups: { ...backups, repositories: [repository] } },
  });
  expect(message).toContain(expected);
  expect(message).not.toContain('hunter2');
  expect(message).toContain('`pulumi up`');
});
