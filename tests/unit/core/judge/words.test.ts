import type { Evidence } from '../../../../core/evidence';
import { ago, archive, judged } from '../fixtures';

/*
 * The same judgement in the words of Amazon RDS, where there is neither a data directory nor an archive that could be repaired.
 */

const rds = (overrides: Partial<Evidence>) => ({ engine: 'rds' as const, ...overrides });
const ids = (recorded: string | null, found: string | null, backedUp: string | null) => ({
  identity: { recorded, found, backedUp },
});
const [ours, other] = ['db-OURS', 'db-OTHER'];

test.each<[string, Partial<Evidence>, string]>([
  ['the recorded instance', ids(ours, ours, ours), 'the cluster is the recorded one (resource id db-OURS)'],
  [
    'another instance of its name',
    ids(ours, other, ours),
    'the instance has the resource id db-OTHER, but db-OURS is recorded; the newest snapshot is of resource id db-OURS, but the instance has the resource id db-OTHER',
  ],
  [
    'snapshots of another',
    ids(ours, ours, other),
    'the newest snapshot is of resource id db-OTHER, but db-OURS is recorded; the newest snapshot is of resource id db-OTHER, but the instance has the resource id db-OURS',
  ],
  [
    'no instance',
    ids(ours, null, ours),
    'resource id db-OURS is known, but there is no instance of its name',
  ],
  [
    'no record',
    { phase: 'none', backups: [], ...ids(null, ours, null) },
    'there is an instance or a snapshot, but no record of the cluster',
  ],
])('identity: %s', (_, overrides, message) => {
  const finding = judged('identity', rds(overrides));
  expect(finding.message).toBe(message);
  expect(String(finding.remedy)).not.toMatch(/disk|dataDirectory/);
});

test('readable: a time of AWS ahead of AWS’s own clock is nothing that a person could set right', () =>
  expect(judged('readable', rds({ archive: archive({ lastFailedAt: ago(-900) }) })).remedy).toMatch(
    /AWS’s own/,
  ));

test.each<[string, Partial<Evidence>, string]>([
  ['within the RPO', {}, 'point-in-time recovery works, and reaches to within the RPO of 5 min'],
  [
    'late',
    { archive: archive({ oldestUnarchivedChangeAt: ago(720) }) },
    'the latest restorable time is 12 min old; the RPO is 5 min',
  ],
  [
    'switched off',
    { archive: archive({ failing: 'automated backups are switched off' }) },
    'point-in-time recovery doesn’t work: automated backups are switched off',
  ],
  [
    'stopped',
    { server: { state: 'stopped', version: null }, archive: null },
    'the instance doesn’t serve, so how far point-in-time recovery reaches can’t be known',
  ],
  ['unknown', { archive: null }, 'nothing is known of point-in-time recovery'],
])('restorable: %s', (_, overrides, message) => {
  const finding = judged('restorable', rds(overrides));
  expect(finding.message).toBe(message);
  expect(String(finding.remedy)).not.toMatch(/repair archiving|waits for/);
});
