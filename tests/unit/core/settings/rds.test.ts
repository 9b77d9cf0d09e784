import { z } from 'zod';
import { rds } from '../../../../core/settings/rds';
import { leaves } from '../../../../core/settings/schema';
import { managed, minimal, settingsOf } from '../rds/fixtures';

const day = 86_400;

test('a managed instance needs its class, version and network: the rest is safe by default', () => {
  expect(rds.parse(minimal)).toEqual({
    ...minimal,
    source: {
      ...managed,
      allowMajorUpgrade: false,
      storage: { type: 'gp3', size: 100, maximum: 1024 },
      network: { ...managed.network, allowSecurityGroups: [], allowNetworks: [] },
      port: 5432,
      masterUser: 'holdfast',
      automatedBackups: { retentionDays: 14, window: '00:30-01:00' },
      maintenanceWindow: 'sun:04:30-sun:05:30',
      applyImmediately: false,
      parameters: {},
      iamAuthentication: false,
      performanceInsights: true,
    },
    tags: {},
    snapshots: { keepFor: 14 * day, keepForChange: 30 * day },
    vault: {
      dailyAt: '12:00',
      keepFor: 35 * day,
      lock: { mode: 'governance', minimum: 7 * day, maximum: 365 * day },
      copies: [],
    },
    telling: { emails: [], lowStorage: 5, replicas: [], replicaLag: 300 },
    unattended: { logRetentionDays: 90 },
    waitUpTo: 12 * 3600,
  });
});

test('an instance that exists needs nothing more than to be named', () => {
  const { source } = rds.parse({ ...minimal, source: { mode: 'existing' } });
  expect(source).toEqual({ mode: 'existing' });
});

test('parsed settings can be written and read again', () => {
  const parsed = settingsOf(
    {
      cloneClass: 'db.t4g.medium',
      snapshots: { keepFor: '2 d' },
      tags: { team: 'shop' },
      vault: {
        lock: { mode: 'compliance', confirmation: 'typed' },
        copies: [
          { to: 'region', region: 'eu-west-1' },
          { to: 'vault', vault: 'arn:aws:backup:eu-west-1:444455556666:backup-vault:shop', keepFor: '9 d' },
        ],
      },
      replication: { region: 'eu-west-1', keepFor: '9 d' },
      telling: { webhook: 'https://hooks.example.com/sns', lowStorage: '2 TiB' },
    },
    {
      storage: { size: '1 TiB', maximum: 'fixed', iops: 12_000 },
      parameters: { jit: false, work_mem: 4096 },
    },
  );
  expect(parsed.source).toMatchObject({ storage: { size: 1024, maximum: 'fixed' } });
  for (const one of [parsed, settingsOf()]) expect(rds.parse(z.encode(rds, one))).toEqual(one);
});

test.each([
  ['instance', 'Shop'],
  ['instance', 'shop--db'],
  ['instance', 'shop-'],
  ['instance', '1shop'],
  ['instance', 'a'.repeat(64)],
  ['region', 'frankfurt'],
  ['source', 'existing'],
  ['source', { mode: 'adopted' }],
  ['cloneClass', 't4g.medium'],
  ['quarantineSecurityGroup', 'default'],
  ['certificateAuthorities', 'bundle.pem'],
  ['waitUpTo', '12'],
  ['tags', { 'aws:x': 'y' }],
  ['tags', { 'holdfast:cluster': 'shop' }],
  ['vault', { dailyAt: '24:00' }],
  ['vault', { keepFor: '36 h' }],
  ['vault', { lock: { mode: 'compliance' } }],
  ['vault', { copies: [{ to: 'vault', vault: 'shop' }] }],
  ['replication', {}],
  ['telling', { emails: ['oncall'] }],
  ['telling', { webhook: 'http://hooks.example.com' }],
  ['telling', { lowStorage: 5 }],
  ['unattended', { logRetentionDays: 31 }],
  ['unattended', { network: { subnets: [], securityGroups: [] } }],
])('%s can’t be %j', (key, value) => {
  expect(rds.safeParse({ ...minimal, [key]: value }).success).toBe(false);
});

const issuesOf = (source: object): string[] => {
  const parsed = rds.safeParse({ ...minimal, source: { ...managed, ...source } });
  return (parsed.error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
};
const network = (changes: object) => ({ network: { ...managed.network, ...changes } });

test.each<[object, RegExp]>([
  [{ version: 17.1 }, /^source\.version: a version in quotes is needed/],
  [{ version: '12.4' }, /^source\.version: must be a version of PostgreSQL, 13 or later/],
  [{ class: 'large' }, /^source\.class: an instance class is needed/],
  [{ masterUser: 'Root' }, /^source\.masterUser: must be a name of a role/],
  [{ kmsKey: 'alias/shop' }, /^source\.kmsKey: the ARN of a KMS key is needed/],
  [{ maintenanceWindow: '04:30-05:30' }, /^source\.maintenanceWindow: a window of the week/],
  [{ automatedBackups: { window: 'sun:04:30-sun:05:30' } }, /window: a window of the day/],
  [{ parameters: { 'rds.force_ssl': 0 } }, /rds\.force_ssl is set by Holdfast/],
  [{ parameters: { 'x;y': 0 } }, /^source\.parameters\./],
  [network({ subnets: ['subnet-0a1b2c3d4e5f60718'] }), /^source\.network\.subnets: /],
  [network({ allowNetworks: ['0.0.0.0/0'] }), /allowNetworks\.0: this network is too wide/],
  [network({ allowNetworks: ['0.0.0.0/1'] }), /allowNetworks\.0: this network is too wide/],
  [network({ allowNetworks: ['::/0'] }), /allowNetworks\.0: this network is too wide/],
  [network({ allowNetworks: ['shop.example.com'] }), /must be a network in CIDR notation/],
  [{ storage: { size: '100 GB' } }, /storage\.size: "100 GB" is not a size with a unit \(GiB, TiB\)/],
  [{ storage: { maximum: '1' } }, /"1" is not a size with a unit \(GiB, TiB\), nor `fixed`/],
  [{ storage: { size: '10 GiB' } }, /storage\.size: 10 GiB is less than RDS gives: 20 GiB/],
  [{ storage: { maximum: '105 GiB' } }, /storage\.maximum: 105 GiB is less than 10 % above storage\.size/],
  [{ storage: { type: 'io2' } }, /storage\.iops: storage\.type io2 needs provisioned IOPS/],
  [
    { storage: { type: 'io2', iops: 3000, throughput: 500 } },
    /storage\.throughput: storage\.type io2 has no/,
  ],
  [{ storage: { iops: 12_000 } }, /storage\.iops: gp3 has it provisioned from 400 GiB on/],
  [{ storage: { throughput: 500 } }, /storage\.throughput: gp3 has it provisioned from 400 GiB on/],
])('a managed instance with %j is refused', (source, message) => {
  expect(issuesOf(source)).toEqual([expect.stringMatching(message)]);
});

test.each<object>([
  { storage: { type: 'io2', size: '20 GiB', iops: 1000 } },
  { storage: { size: '400 GiB', iops: 12_000, throughput: 500 } },
  network({ allowNetworks: ['10.0.0.0/8', 'fd00:1234::/32'] }),
  { version: '17', parameters: { 'rds.logical_replication': 1, 'auto_explain.log_min_duration': '1s' } },
])('a managed instance may have %j', source => {
  expect(issuesOf(source)).toEqual([]);
});

test('every setting is explained', () => {
  // The entries of a list or map are explained by it.
  const named = leaves(rds).filter(({ path }) => !path.endsWith('.*'));
  expect(named.filter(({ setting }) => setting.description === undefined)).toEqual([]);
});

test('the webhook, whose URL lets anybody write to it, is a secret', () => {
  const secrets = leaves(rds).flatMap(({ path, setting }) => (setting.secret ? [path] : []));
  expect(secrets).toEqual(['telling.webhook']);
});
