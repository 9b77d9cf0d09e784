import { input, unknownValue, type Resource } from '../../policy/resource';
import type { Rule } from '../../policy/rule';
import { rules } from '../../policy/pack';
import { rdsBackupsOutlive } from '../../policy/rules/rds-backups-outlive';
import { rdsChangesWait } from '../../policy/rules/rds-changes-wait';
import { rdsDeletionProtected } from '../../policy/rules/rds-deletion-protected';
import { rdsEncrypted } from '../../policy/rules/rds-encrypted';
import { rdsFinalSnapshot } from '../../policy/rules/rds-final-snapshot';
import { rdsNotDowngraded } from '../../policy/rules/rds-not-downgraded';
import { rdsNotRestored } from '../../policy/rules/rds-not-restored';
import { rdsPrivate } from '../../policy/rules/rds-private';
import { rdsRetention } from '../../policy/rules/rds-retention';
import { awsResource, cluster, clusterInstance, instance, onRds } from './support/aws';
import { judged, judgedResource, resourceOf, staging, unknown } from './support/fixtures';

// All but the one that asks for evidence.
const rdsRules = rules.filter(rule => rule.name.startsWith('rds-') && rule !== rdsNotDowngraded);
const byName = rdsRules.map(rule => [rule.name, rule] as const);
const unknownInputs = (resource: Resource) =>
  Object.fromEntries(Object.keys(resource.properties).map(key => [key, unknown]));

/** A rule, what is changed of a database that passes it, and what is found then; with the rule's name, for the test's. */
const named = (mutations: readonly (readonly [Rule, object, string])[]) =>
  mutations.map(([rule, changes, words]) => [rule.name, changes, rule, words] as const);

describe.each([
  ['instance', instance],
  ['cluster', cluster],
])('a production %s', (_, database) => {
  test.each(byName)('of which everything is as it should be passes %s', (_, rule) => {
    expect(judgedResource(rule, database())).toEqual([]);
  });

  test.each(byName)('whose inputs aren’t known in a preview passes %s: the update judges them', (_, rule) => {
    const later = database(unknownInputs(database()));
    expect(input(later, 'engine')).toBe(unknownValue);
    expect(judgedResource(rule, later)).toEqual([]);
  });

  test.each(
    named([
      [
        rdsRetention,
        { backupRetentionPeriod: 6 },
        'keeps automated backups for 6 days; at least 7 are needed',
      ],
      [rdsRetention, { backupRetentionPeriod: 0 }, 'has its automated backups switched off'],
      [rdsBackupsOutlive, { deleteAutomatedBackups: true }, 'would take its automated backups with it'],
      [rdsBackupsOutlive, { deleteAutomatedBackups: undefined }, 'would take its automated backups with it'],
      [rdsFinalSnapshot, { skipFinalSnapshot: true }, 'would be deleted without a final snapshot'],
      [rdsFinalSnapshot, { finalSnapshotIdentifier: undefined }, 'has no name for its final snapshot: '],
      [rdsFinalSnapshot, { finalSnapshotIdentifier: '' }, 'has no name for its final snapshot: '],
      [rdsDeletionProtected, { deletionProtection: false }, 'can be deleted with one call'],
      [rdsDeletionProtected, { deletionProtection: undefined }, 'can be deleted with one call'],
      [rdsEncrypted, { storageEncrypted: false }, 'is not encrypted'],
      [rdsEncrypted, { storageEncrypted: undefined }, 'is not encrypted'],
      [
        rdsNotRestored,
        { snapshotIdentifier: 'rds:shop-2026' },
        'is made from something else (snapshotIdentifier)',
      ],
      [rdsNotRestored, { snapshotIdentifier: unknown }, 'is made from something else (snapshotIdentifier)'],
      [rdsNotRestored, { restoreToPointInTime: { useLatestRestorableTime: true } }, '(restoreToPointInTime)'],
      [rdsNotRestored, { s3Import: { bucketName: 'dump' } }, '(s3Import)'],
      [rdsPrivate, { publiclyAccessible: true }, 'gets an address on the internet'],
      [rdsChangesWait, { applyImmediately: true }, 'is changed at once'],
    ]),
  )('violates %s with %j', (_, changes, rule, words) => {
    const violations = judgedResource(rule, database(changes));
    expect(violations).toEqual([expect.stringMatching(/^shop \(aws:rds\/.*\) .*\n {2}fix: /)]);
    expect(violations[0]).toContain(words);
  });

  test('is held to more days of automated backups where the pack demands them', () => {
    expect(judgedResource(rdsRetention, database(), { minimumDays: 14 })).toEqual([]);
    expect(judgedResource(rdsRetention, database(), { minimumDays: 15 })[0]).toContain('at least 15');
  });

  test('may be a copy beside the one that serves, when the pack names it', () => {
    const copy = database({ snapshotIdentifier: 'rds:shop-2026' });
    expect(judgedResource(rdsNotRestored, copy, { copies: ['shop'] })).toEqual([]);
    expect(judgedResource(rdsNotRestored, copy, { copies: ['crm'] })).toHaveLength(1);
  });

  test('may be changed at once, when the pack gives a reason', () => {
    const hurried = database({ applyImmediately: true });
    expect(judgedResource(rdsChangesWait, hurried, { immediately: { shop: 'OPS-7: CVE' } })).toEqual([]);
    expect(judgedResource(rdsChangesWait, hurried, { immediately: { crm: 'OPS-7: CVE' } })).toHaveLength(1);
  });
});

test('what the program doesn’t say is what RDS does then', () => {
  const unsaid = {
    backupRetentionPeriod: undefined,
    publiclyAccessible: undefined,
    applyImmediately: undefined,
  };
  expect(judgedResource(rdsRetention, instance(unsaid))[0]).toContain('retention of 0 days');
  expect(judgedResource(rdsRetention, cluster(unsaid))[0]).toContain('for 1 days');
  for (const rule of [rdsPrivate, rdsChangesWait]) expect(judgedResource(rule, instance(unsaid))).toEqual([]);
});

test('a replica of another database is a copy of it', () => {
  const replicas = [
    instance({ replicateSourceDb: 'crm' }),
    cluster({ replicationSourceIdentifier: 'arn:crm' }),
  ];
  for (const replica of replicas) expect(judgedResource(rdsNotRestored, replica)).toHaveLength(1);
  // So it is promoted.
  expect(judgedResource(rdsNotRestored, instance({ replicateSourceDb: '' }))).toEqual([]);
});

test('an instance of a DB cluster has no public address, and waits for its window', () => {
  for (const rule of [rdsPrivate, rdsChangesWait])
    expect(judgedResource(rule, clusterInstance())).toEqual([]);
  expect(judgedResource(rdsPrivate, clusterInstance({ publiclyAccessible: true }))).toHaveLength(1);
  expect(judgedResource(rdsChangesWait, clusterInstance({ applyImmediately: true }))).toHaveLength(1);
});

test('a DB cluster that isn’t Aurora can’t retain automated backups, and needn’t', () => {
  const ofSeveralZones = { engine: 'postgres', deleteAutomatedBackups: undefined };
  expect(judgedResource(rdsBackupsOutlive, cluster(ofSeveralZones))).toEqual([]);
});

test('an instance may be changed at once when the stack’s settings say so', () => {
  const hurried = instance({ applyImmediately: true });
  const said = { raw: onRds({}, { applyImmediately: true }) };
  expect(judgedResource(rdsChangesWait, hurried, {}, said)).toEqual([]);
  expect(judgedResource(rdsChangesWait, hurried, {}, { raw: onRds() })).toHaveLength(1);
  const existing = onRds({ source: { mode: 'existing' } });
  expect(judgedResource(rdsChangesWait, hurried, {}, { raw: existing })).toHaveLength(1);
  const other = instance({ applyImmediately: true, identifier: 'crm-production' });
  expect(judgedResource(rdsChangesWait, other, {}, said)).toHaveLength(1);
});

describe('staging', () => {
  const unsafe = { applyImmediately: true, deletionProtection: false, skipFinalSnapshot: true };
  const cheap = {
    ...unsafe,
    backupRetentionPeriod: 1,
    deleteAutomatedBackups: true,
    snapshotIdentifier: 'rds:shop',
  };

  test.each(byName)('may be cheap, short-lived and a copy of production: %s', (_, rule) => {
    const database = instance({ ...cheap, parameterGroupName: undefined });
    expect(judgedResource(rule, database, {}, { raw: staging })).toEqual([]);
  });

  test.each(
    named([
      [rdsRetention, { backupRetentionPeriod: 0 }, 'switched off'],
      [rdsEncrypted, { storageEncrypted: false }, 'is not encrypted'],
      [rdsPrivate, { publiclyAccessible: true }, 'an address on the internet'],
    ]),
  )('is held to %s: %j', (_, changes, rule, words) => {
    const violations = judgedResource(rule, instance(changes), {}, { raw: staging });
    expect(violations).toEqual([expect.stringContaining(words)]);
  });
});

describe('the pack’s configuration', () => {
  test.each([6, 36, 7.5])('can’t ask for %d days of automated backups', async minimumDays => {
    expect((await judged(rdsRetention, {}, { minimumDays }))[0]).toContain('rds-retention.minimumDays');
  });

  test('needs a reason for what is changed at once', async () => {
    expect((await judged(rdsChangesWait, {}, { immediately: { shop: '' } }))[0]).toContain(
      'immediately.shop',
    );
  });
});

test('other resources are not their business', () => {
  const others = [resourceOf(), awsResource('rds/subnetGroup:SubnetGroup', { publiclyAccessible: true })];
  for (const rule of rdsRules) for (const other of others) expect(judgedResource(rule, other)).toEqual([]);
});
