import { assessBreakGlass } from '../../../core/break-glass';
import type { Evidence } from '../../../core/evidence';
import { judge } from '../../../core/freshness';
import { decide, isWaivable } from '../../../core/gate';
import { ago, backupSet, evidence, identity, limits, nothing, now } from './fixtures';

const grant = {
  reason: 'repository host lost',
  approver: 'ada@example.com',
  issued: ago(60),
  expires: ago(-60),
};
const active = assessBreakGlass(grant, now);
const none = assessBreakGlass(undefined, now);
const of = (given: Evidence, breakGlass = none, environment: Evidence['environment'] = 'production') =>
  decide({ judgement: judge(given, limits), environment, breakGlass });

const old = evidence({ backups: [backupSet({ stoppedAt: ago(limits.maximumAge + 3600) })] });
const unreachable = evidence({ problems: [{ what: 'the repository is unreachable', remedy: 'mount it' }] });
const mismatched = evidence({
  identity: { recorded: identity, found: '7301234567890123456', backedUp: null },
});
const allowed = { decision: 'allowed', reasons: [], blocking: [], waived: [] };

test('a fresh cluster is changed without a word', () => {
  expect(of(evidence())).toEqual(allowed);
  expect(of(evidence(), active)).toEqual(allowed);
});

test('a cluster that isn’t fresh is not changed, and every reason names its remedy', () =>
  expect(of(old)).toMatchObject({
    decision: 'blocked',
    reasons: [
      expect.stringMatching(/^recent is stale: .* 27 h old; at most 26 h .* → holdfast backup shop$/),
    ],
    blocking: [{ rule: 'recent' }],
    waived: [],
  }));

test('a finding without a remedy leads to status', () => {
  const judgement = judge(old, limits);
  const findings = judgement.findings.map(finding => ({ ...finding, remedy: null }));
  const { reasons } = decide({
    judgement: { ...judgement, findings },
    environment: 'production',
    breakGlass: none,
  });
  expect(reasons).toEqual([expect.stringMatching(/→ holdfast status$/)]);
});

test('staging isn’t held to the rules of production', () =>
  expect(of(old, none, 'staging')).toEqual(allowed));

test('a first provision and an adoption are let through, and said', () => {
  expect(of(nothing()).reasons).toEqual(['first provision: the cluster has no verified backup yet']);
  expect(of(evidence({ phase: 'adopting', backups: [] }))).toMatchObject({
    decision: 'allowed',
    reasons: ['adoption: the cluster has no verified backup yet'],
  });
});

describe('break-glass', () => {
  test.each<[string, Evidence, string]>([
    ['a backup that is too old', old, 'recent'],
    ['a repository that can’t be read', unreachable, 'readable'],
    [
      'a stopped server',
      evidence({ server: { state: 'stopped', version: null }, archive: null }),
      'restorable',
    ],
    ['a missing verification', evidence({ backups: [backupSet({ verification: null })] }), 'verified'],
  ])('waives %s, loudly', (_, given, rule) => {
    const decision = of(given, active);
    expect(decision).toMatchObject({
      decision: 'allowed-under-break-glass',
      blocking: [],
      waived: [{ rule }],
    });
    expect(decision.reasons[0]).toBe(
      `break-glass until ${grant.expires}, approved by ada@example.com: repository host lost`,
    );
    expect(decision.reasons[1]).toMatch(new RegExp(`^${rule} is `));
  });

  test('never waives an identity', () => {
    expect(isWaivable('identity')).toBe(false);
    expect(of(mismatched, active)).toMatchObject({
      decision: 'blocked',
      reasons: [
        expect.stringMatching(/^identity is unknown/),
        'break-glass never waives the identity of a cluster',
      ],
      blocking: [{ rule: 'identity' }],
    });
    expect(of(mismatched)).toMatchObject({ decision: 'blocked', blocking: [{ rule: 'identity' }] });
  });

  test('that is expired counts as none, and the reason is told', () => {
    const expired = assessBreakGlass({ ...grant, expires: ago(30) }, now);
    expect(of(old, expired)).toMatchObject({
      decision: 'blocked',
      reasons: [
        expect.any(String),
        expect.stringMatching(/^break-glass counts as none: it expired 30 s ago/),
      ],
    });
  });
});
