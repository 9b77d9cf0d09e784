import { rdsConflicts } from '../../../../core/rds/conflicts';
import { parseStack } from '../../../../core/settings/parse';
import type { Environment } from '../../../../core/settings/stack';
import { minimal, settingsOf } from './fixtures';

const said = (environment: Environment, given: object = {}, source: object = {}): string[] =>
  rdsConflicts(environment, settingsOf(given, source)).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

const retained = (retentionDays: number) => ({ automatedBackups: { retentionDays } });

test.each<Environment>(['production', 'staging'])('the defaults of %s have no conflict', environment => {
  expect(said(environment)).toEqual([]);
  expect(said(environment, { source: { mode: 'existing' } })).toEqual([]);
});

test('automated backups are never switched off', () => {
  for (const environment of ['production', 'staging'] as const)
    expect(said(environment, {}, retained(0))).toEqual([
      'source.automatedBackups.retentionDays: 0 would switch point-in-time recovery off, and reboot the instance: keep at least 1 day',
    ]);
});

test('production keeps point-in-time recovery for 7 to 35 days, staging as briefly as it likes', () => {
  expect(said('production', {}, retained(6))).toEqual([
    'source.automatedBackups.retentionDays: production keeps point-in-time recovery for at least 7 days, not 6',
  ]);
  for (const days of [7, 35]) expect(said('production', {}, retained(days))).toEqual([]);
  expect(said('staging', {}, retained(1))).toEqual([]);
});

test.each([
  ['multiAz', 'production has a standby'],
  ['deletionProtection', 'production is protected from deletion'],
])('%s can be switched off in staging only', (key, message) => {
  expect(said('production', {}, { [key]: false })).toEqual([
    expect.stringContaining(`source.${key}: ${message}`),
  ]);
  expect(said('production', {}, { [key]: true })).toEqual([]);
  expect(said('staging', {}, { [key]: false })).toEqual([]);
});

test('the windows last half an hour, and are apart', () => {
  const backups = (window: string) => ({ automatedBackups: { window } });
  expect(said('staging', {}, backups('00:30-00:45'))).toEqual([
    'source.automatedBackups.window: 00:30-00:45 is shorter than the 30 minutes that RDS needs',
  ]);
  expect(said('staging', {}, { maintenanceWindow: 'sun:04:30-sun:04:31' })).toEqual([
    expect.stringMatching(/^source\.maintenanceWindow: .* is shorter/),
  ]);
  expect(said('staging', {}, backups('05:00-06:00'))).toEqual([
    'source.maintenanceWindow: sun:04:30-sun:05:30 overlaps with source.automatedBackups.window (05:00-06:00), which RDS refuses',
  ]);
});

describe('a vault', () => {
  const compliance = (changes: object = {}) => ({
    lock: { mode: 'compliance', confirmation: 'compliance of shop-db cannot be undone', ...changes },
  });

  test('of production is locked', () => {
    const vault = { enabled: true, lock: { mode: 'none' } };
    expect(said('production', { vault })).toEqual([
      'vault.lock.mode: production locks its vault: governance is enough, and can be undone',
    ]);
    expect(said('staging', { vault })).toEqual([]);
  });

  test('is locked for good only when that was typed', () => {
    expect(said('production', { vault: compliance() })).toEqual([]);
    expect(said('production', { vault: compliance({ confirmation: 'yes' }) })).toEqual([
      'vault.lock.confirmation: compliance locks for good, for AWS too; to confirm, set “compliance of shop-db cannot be undone”',
    ]);
    expect(said('production', { vault: compliance({ coolingOff: '2 d' }) })).toEqual([
      'vault.lock.coolingOff: AWS locks for good after at least 3 d',
    ]);
  });

  test('keeps nothing longer or shorter than its lock, neither itself nor in another region', () => {
    const lock = { mode: 'governance', minimum: '10 d', maximum: '20 d' };
    expect(said('production', { vault: { keepFor: '9 d', lock } })).toEqual([
      'vault.keepFor: 9 d is not within vault.lock.minimum and maximum (10 d to 20 d): every backup would fail',
    ]);
    const copies = [
      { to: 'region', region: 'eu-west-1', keepFor: '21 d' },
      { to: 'vault', vault: 'arn:aws:backup:eu-west-1:444455556666:backup-vault:shop', keepFor: '90 d' },
    ];
    expect(said('production', { vault: { keepFor: '10 d', lock, copies } })).toEqual([
      expect.stringMatching(/^vault\.copies\.0\.keepFor: 21 d is not within/),
    ]);
    expect(said('production', { vault: { lock: { ...lock, minimum: '40 d' } } })[0]).toBe(
      'vault.lock.minimum: it is longer than vault.lock.maximum (20 d)',
    );
  });

  test('is copied elsewhere, and to each place once', () => {
    const to = (region: string) => ({ to: 'region', region });
    expect(said('production', { vault: { copies: [to('eu-central-1')] } })).toEqual([
      'vault.copies.0.region: the copy would be in the region of the instance',
    ]);
    expect(said('production', { vault: { copies: [to('eu-west-1'), to('eu-west-1')] } })).toEqual([
      'vault.copies.1: there is a copy to eu-west-1 already',
    ]);
  });

  test('that isn’t kept has no conflicts', () => {
    expect(said('production', { vault: { enabled: false, lock: { mode: 'none' } } })).toEqual([]);
    expect(said('staging', { vault: compliance({ confirmation: '' }) })).toEqual([]);
  });
});

test('automated backups are replicated to another region, for at most 35 days', () => {
  expect(said('production', { replication: { region: 'eu-west-1', keepFor: '35 d' } })).toEqual([]);
  expect(said('production', { replication: { region: 'eu-central-1', keepFor: '36 d' } })).toEqual([
    'replication.region: the backups would be replicated to the region of the instance',
    'replication.keepFor: RDS keeps replicated backups for at most 35 d',
  ]);
});

test('a file of authorities is no setting where jobs run that don’t have it', () => {
  const certificateAuthorities = '/etc/ssl/rds.pem';
  const network = { subnets: ['subnet-0a1b2c3d4e5f60718'], securityGroups: ['sg-0a1b2c3d4e5f60718'] };
  expect(said('production', { certificateAuthorities })).toEqual([]);
  expect(said('production', { unattended: { network } })).toEqual([]);
  expect(said('production', { certificateAuthorities, unattended: { network } })).toEqual([
    'certificateAuthorities: the unattended jobs of unattended.network have no /etc/ssl/rds.pem: remove it, and set NODE_EXTRA_CA_CERTS where people run `holdfast`',
  ]);
});

test('conflicts are errors of the stack, each with its full key; of production only where production is declared', () => {
  const stack = (environment: Environment) =>
    parseStack({ environment, clusters: { shop: { engine: 'rds', ...minimal, source: single } } });
  const single = { ...minimal.source, multiAz: false };
  expect(() => stack('production')).toThrow(
    'holdfast:clusters.shop.source.multiAz: production has a standby in another availability zone',
  );
  expect(stack('staging').clusters.shop).toMatchObject({ engine: 'rds', source: { multiAz: false } });
});
