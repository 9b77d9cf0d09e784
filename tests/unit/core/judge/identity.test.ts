import type { Evidence } from '../../../../core/evidence';
import { findingOf, identity, judged, limits, nothing } from '../fixtures';
import { judge } from '../../../../core/freshness';

const other = '7301234567890123456';
const ids = (recorded: string | null, found: string | null, backedUp: string | null) => ({
  identity: { recorded, found, backedUp },
});

test('identifiers are compared as text: these two are the same number to JavaScript', () => {
  expect(Number(identity)).toBe(Number(other));
  expect(judged('identity', ids(identity, other, null)).verdict).toBe('unknown');
});

test.each<[string, Partial<Evidence>, RegExp]>([
  [
    'the data is another cluster’s',
    ids(identity, other, identity),
    /data directory holds .*456, but .*457 is recorded/,
  ],
  [
    'the repository is another cluster’s',
    ids(identity, identity, other),
    /repository holds .*456, but .*457 is recorded/,
  ],
  [
    'data and repository differ',
    { phase: 'adopting', ...ids(null, identity, other) },
    /repository holds .*456, but the data directory holds .*457/,
  ],
  [
    'a known cluster is not there',
    ids(identity, null, identity),
    /457 is known, but there is nothing where its data should be/,
  ],
  [
    'a disk is not mounted while it is provisioned',
    { phase: 'provisioning', ...ids(identity, null, null) },
    /is known, but there is nothing/,
  ],
  [
    'only the repository is left',
    { phase: 'provisioning', ...ids(null, null, identity) },
    /is known, but there is nothing/,
  ],
  [
    'somebody else’s data is where it is provisioned',
    { phase: 'provisioning', ...ids(null, identity, null) },
    /only being provisioned, but the data directory holds .*457/,
  ],
  [
    'the repository doesn’t say whose its backups are',
    { phase: 'adopting', ...ids(null, null, null) },
    /there are backups, but the repository doesn’t say of which cluster/,
  ],
  ['the record has lost the identifier', ids(null, identity, identity), /record lacks the system identifier/],
  [
    'there is a stanza without a record',
    { phase: 'none', ...ids(null, null, identity) },
    /no record of the cluster/,
  ],
  [
    'there is data without a record',
    { phase: 'none', ...ids(null, identity, null) },
    /there is data or a stanza, but no record/,
  ],
  [
    'there are backups without a record',
    { phase: 'none', ...ids(null, null, null) },
    /there are backups, but no record/,
  ],
])('is unknown when %s', (_, overrides, message) => {
  const finding = judged('identity', overrides);
  expect(finding).toMatchObject({ verdict: 'unknown', message: expect.stringMatching(message) as string });
  expect(finding.remedy).toMatch(/mount its disk/);
});

test.each<[string, Partial<Evidence>]>([
  ['no trace of a cluster', {}],
  ['an unfinished first provision', { phase: 'provisioning' }],
])('is fresh for %s', (_, overrides) =>
  expect(findingOf(judge(nothing(overrides), limits), 'identity')).toMatchObject({
    verdict: 'fresh',
    message: 'there is no cluster yet',
  }),
);

test('names the identifier when all is well', () =>
  expect(judged('identity', {}).message).toContain(identity));
