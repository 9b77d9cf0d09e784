import { judge, limitsOf, stricter, type Verdict } from '../../../core/freshness';
import { parseStack } from '../../../core/settings/parse';
import { ago, archive, backupSet, evidence, failed, identity, limits, nothing, passed } from './fixtures';

const rules = ['identity', 'readable', 'recent', 'restorable', 'verified'];
const other = '7301234567890123456';

test('a cluster that is fresh in every respect lets a change through', () => {
  const judgement = judge(evidence(), limits);
  expect(judgement.findings.map(({ rule }) => rule)).toEqual(rules);
  expect(judgement.findings.map(({ verdict, remedy }) => [verdict, remedy])).toEqual(
    rules.map(() => ['fresh', null]),
  );
  expect(judgement).toMatchObject({
    verdict: 'fresh',
    letsThrough: 'fresh',
    newestUsable: { id: '20260304-013000F' },
  });
});

test.each<[string, Parameters<typeof evidence>[0], Verdict]>([
  ['a stale finding', { backups: [backupSet({ verification: passed({ restoreSeconds: 7200 }) })] }, 'stale'],
  ['a missing finding beside stale ones', { backups: [backupSet({ verification: null })] }, 'missing'],
  [
    'an unknown finding beside missing ones',
    { backups: [], problems: [{ what: 'a', remedy: 'b' }] },
    'unknown',
  ],
])('the verdict is that of the worst finding: %s', (_, overrides, verdict) => {
  expect(judge(evidence(overrides), limits)).toMatchObject({ verdict, letsThrough: null });
});

test('the newest usable backup is the one that stopped last, wherever it stands', () => {
  const newest = backupSet({ id: 'b', stoppedAt: '2026-03-04T11:00:00.000Z' });
  const older = backupSet({ id: 'a', stoppedAt: '2026-03-04T10:00:00.000Z' });
  const unusable = backupSet({ id: 'c', stoppedAt: '2026-03-04T11:30:00.000Z', unusable: 'page checksums' });
  expect(judge(evidence({ backups: [newest, older, unusable] }), limits).newestUsable?.id).toBe('b');
});

describe('without a verified backup a change passes only', () => {
  test.each(['none', 'provisioning'] as const)('at the first provision (%s)', phase =>
    expect(judge(nothing({ phase }), limits)).toMatchObject({
      verdict: 'unknown',
      letsThrough: 'first-provision',
    }),
  );
  test('at the adoption of a cluster with its data', () =>
    expect(
      judge(
        evidence({
          phase: 'adopting',
          backups: [],
          identity: { recorded: null, found: identity, backedUp: null },
        }),
        limits,
      ).letsThrough,
    ).toBe('adoption'));
  test.each(['provisioning', 'adopting'] as const)(
    'for as long as a backup may be old: after that it holds data that nothing protects (%s)',
    phase => {
      const given = { phase, backups: [], archive: archive() };
      const after = (seconds: number) =>
        judge(evidence({ ...given, begunAt: ago(seconds) }), limits).letsThrough;
      expect(after(limits.maximumAge)).not.toBeNull();
      expect(after(limits.maximumAge + 1)).toBeNull();
      expect(judge(evidence({ ...given, begunAt: 'not a moment' }), limits).letsThrough).toBeNull();
      expect(judge(evidence({ ...given, begunAt: null }), limits).letsThrough).not.toBeNull();
    },
  );
  test('not once it is established', () =>
    expect(judge(evidence({ backups: [] }), limits).letsThrough).toBeNull());
});

test.each(['none', 'provisioning', 'adopting', 'established'] as const)(
  'a contradiction of identities or a problem lets nothing through, whatever the phase (%s)',
  phase => {
    const contradictory = evidence({ phase, identity: { recorded: identity, found: other, backedUp: null } });
    expect(judge(contradictory, limits).letsThrough).toBeNull();
    const unread = nothing({ phase, problems: [{ what: 'the disk can’t be read', remedy: 'mount it' }] });
    expect(judge(unread, limits).letsThrough).toBeNull();
  },
);

test('a cluster that is still being provisioned but has all it needs is simply fresh', () =>
  expect(judge(evidence({ phase: 'provisioning' }), limits).letsThrough).toBe('fresh'));

test('a failed verification that came after the passed one holds, and blocks', () => {
  const judgement = judge(
    evidence({
      backups: [
        backupSet({ verification: passed({ at: '2026-03-03T00:00:00.000Z' }) }),
        backupSet({ verification: failed({ at: '2026-03-04T00:00:00.000Z' }) }),
      ],
    }),
    limits,
  );
  expect(judgement).toMatchObject({ verdict: 'stale', letsThrough: null });
});

test('the limits of a cluster are those of its settings, in seconds', () => {
  const { clusters } = parseStack({
    environment: 'staging',
    clusters: {
      shop: { backups: { maximumAge: '2 h', verificationMaximumAge: '3 d', rpo: '60 s', rto: '4 h' } },
    },
  });
  expect(limitsOf(clusters.shop!.backups)).toEqual({
    maximumAge: 7200,
    verificationMaximumAge: 259_200,
    rpo: 60,
    rto: 14_400,
  });
});

test('where two set a limit, the stricter counts, each for itself', () =>
  expect(stricter(limits, { maximumAge: 60, rto: 999_999 })).toEqual({ ...limits, maximumAge: 60 }));
