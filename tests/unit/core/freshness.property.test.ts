import fc from 'fast-check';
import type { ArchiveEvidence, BackupSet, Evidence, Phase, Verification } from '../../../core/evidence';
import { judge, stricter, type Limits } from '../../../core/freshness';
import { ago, archive, backupSet, evidence, identity } from './fixtures';

/** Mostly what is well, so that a cluster is fresh often enough, and now and then what isn't. */
const mostly = <T>(well: fc.Arbitrary<T>, ill: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 6, arbitrary: well }, { weight: 1, arbitrary: ill });
const seconds = fc.integer({ min: -86_400, max: 30 * 86_400 });
const at = mostly(fc.integer({ min: 0, max: 40_000 }).map(ago), mostly(seconds.map(ago), fc.constant('?')));
const verification: fc.Arbitrary<Verification> = fc.record({
  result: mostly<'passed' | 'failed'>(fc.constant('passed'), fc.constant('failed')),
  at,
  restoreSeconds: mostly(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 10_000 })),
  replayBytesPerSecond: fc.constant(null),
  reason: fc.constant(null),
});
const backup: fc.Arbitrary<BackupSet> = fc
  .record({
    at,
    unusable: mostly<string | null>(fc.constant(null), fc.constant('damaged')),
    verification: mostly<Verification | null>(verification, fc.constant(null)),
  })
  .map(({ at: when, ...set }) => backupSet({ ...set, startedAt: when, stoppedAt: when }));
const id = mostly<string | null>(fc.constant(identity), fc.constantFrom('7301234567890123456', null));
const someArchive = fc
  .record({
    failing: mostly<string | null>(fc.constant(null), fc.constant('off')),
    waiting: mostly<string | null>(fc.constant(null), at),
  })
  .map(({ failing, waiting }) => archive({ failing, oldestUnarchivedChangeAt: waiting }));
const anyEvidence: fc.Arbitrary<Evidence> = fc
  .record({
    phase: fc.constantFrom<Phase>('none', 'provisioning', 'adopting', 'established'),
    identity: fc.record({ recorded: id, found: id, backedUp: id }),
    backups: fc.array(backup, { maxLength: 4 }),
    archive: mostly<ArchiveEvidence | null>(someArchive, fc.constant(null)),
    problems: mostly<Evidence['problems']>(
      fc.constant([]),
      fc.constant([{ what: 'unread', remedy: 'read' }]),
    ),
  })
  .map(evidence);
const limits: fc.Arbitrary<Limits> = fc.record({
  maximumAge: fc.integer({ min: 1, max: 86_400 }),
  verificationMaximumAge: fc.integer({ min: 1, max: 86_400 }),
  rpo: fc.integer({ min: 1, max: 86_400 }),
  rto: fc.integer({ min: 1, max: 10_000 }),
});

test('only what keeps every limit is fresh', () => {
  let fresh = 0;
  fc.assert(
    fc.property(anyEvidence, limits, (given, limit) => {
      if (judge(given, limit).verdict !== 'fresh') return;
      fresh++;
      const age = (when: string) => (Date.parse(given.observedAt) - Date.parse(when)) / 1000;
      const usable = given.backups.filter(({ unusable }) => unusable === null);
      expect(Math.min(...usable.map(set => age(set.stoppedAt)))).toBeLessThanOrEqual(limit.maximumAge);
      expect(given.problems).toEqual([]);
      expect(new Set(Object.values(given.identity).filter(value => value !== null)).size).toBe(1);
      expect(given.archive?.failing).toBeNull();
      const newest = given.backups
        .flatMap(set => set.verification ?? [])
        .sort((a, b) => age(a.at) - age(b.at))[0]!;
      expect(newest).toMatchObject({ result: 'passed' });
    }),
    { numRuns: 3000 },
  );
  // Otherwise nothing was tested.
  expect(fresh).toBeGreaterThan(50);
});

test('evidence doesn’t get better with stricter limits', () =>
  fc.assert(
    fc.property(anyEvidence, limits, limits, (given, a, b) => {
      if (judge(given, stricter(a, b)).verdict === 'fresh') {
        expect(judge(given, a).verdict).toBe('fresh');
        expect(judge(given, b).verdict).toBe('fresh');
      }
    }),
    { numRuns: 1000 },
  ));

test('evidence doesn’t get better with time', () =>
  fc.assert(
    fc.property(anyEvidence, limits, fc.integer({ min: 0, max: 86_400 }), (given, limit, later) => {
      const ages = (when: string) =>
        judge({ ...given, observedAt: when }, limit).findings.map(f => f.verdict);
      const [, , recent, restorable, verified] = ages(given.observedAt);
      const [, , recentLater, restorableLater, verifiedLater] = ages(ago(-later));
      if (recentLater === 'fresh') expect(recent).toBe('fresh');
      if (restorableLater === 'fresh') expect(restorable).toBe('fresh');
      if (verifiedLater === 'fresh') expect(verified).toBe('fresh');
    }),
    { numRuns: 1000 },
  ));

test('an established cluster is let through only when it is fresh, and every finding that isn’t has a remedy', () =>
  fc.assert(
    fc.property(anyEvidence, limits, (given, limit) => {
      const judgement = judge(given, limit);
      if (given.phase === 'established')
        expect(judgement.letsThrough).toBe(judgement.verdict === 'fresh' ? 'fresh' : null);
      for (const { verdict, message, remedy } of judgement.findings) {
        expect(message).not.toBe('');
        expect(remedy === null).toBe(verdict === 'fresh');
      }
    }),
    { numRuns: 1000 },
  ));

test('two identifiers that differ let nothing through', () =>
  fc.assert(
    fc.property(anyEvidence, limits, (given, limit) => {
      const known = Object.values(given.identity).filter(value => value !== null);
      if (new Set(known).size > 1) expect(judge(given, limit).letsThrough).toBeNull();
    }),
  ));
