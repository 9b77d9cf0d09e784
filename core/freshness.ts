import type { BackupSet, Evidence } from './evidence';
import { worst, type Finding, type Limits, type Verdict } from './judge/finding';
import { judgeIdentity } from './judge/identity';
import { judgeReadable } from './judge/readable';
import { judgeRecent } from './judge/recent';
import { judgeRestorable } from './judge/restorable';
import { judgeVerified } from './judge/verified';
import type { BackupSettings } from './settings/stack';
import { milliseconds, secondsBetween } from './time';

export type { Finding, Limits, Verdict };

export interface Judgement {
  /** The worst of the findings: unknown, missing, stale, fresh. */
  readonly verdict: Verdict;
  /** One for each rule, in the order of the type. */
  readonly findings: readonly Finding[];
  readonly newestUsable: BackupSet | null;
  /**
   * Only while a cluster is first provisioned or adopted does a verdict other than fresh let a change through, and for no
   * longer than a backup may be old.
   */
  readonly letsThrough: 'fresh' | 'first-provision' | 'adoption' | null;
}

/** The limits that a cluster's settings promise. */
export function limitsOf(backups: BackupSettings): Limits {
  const { maximumAge, verificationMaximumAge, rpo, rto } = backups;
  return { maximumAge, verificationMaximumAge, rpo, rto };
}

/** Where the policy pack and the stack both set a limit, the stricter one counts. */
export function stricter(a: Limits, b: Partial<Limits>): Limits {
  const least = (key: keyof Limits) => Math.min(a[key], b[key] ?? a[key]);
  return {
    maximumAge: least('maximumAge'),
    verificationMaximumAge: least('verificationMaximumAge'),
    rpo: least('rpo'),
    rto: least('rto'),
  };
}

/**
 * The one judgement that the gates, the schedules and `holdfast status` share. A limit is kept when the age is at most the
 * limit; whatever can't be compared (a time that isn't one) is never fresh.
 */
export function judge(evidence: Evidence, limits: Limits): Judgement {
  const newestUsable = newest(evidence.backups.filter(backup => backup.unusable === null));
  const findings = [
    judgeIdentity(evidence),
    judgeReadable(evidence),
    judgeRecent(evidence, limits, newestUsable),
    judgeRestorable(evidence, limits, newestUsable),
    judgeVerified(evidence, limits, newestUsable),
  ];
  const verdict = worst(findings.map(finding => finding.verdict));
  return { verdict, findings, newestUsable, letsThrough: letsThrough(evidence, limits, verdict, findings) };
}

function newest(backups: readonly BackupSet[]): BackupSet | null {
  let found: BackupSet | null = null;
  for (const backup of backups)
    if (found === null || milliseconds(backup.stoppedAt) >= milliseconds(found.stoppedAt)) found = backup;
  return found;
}

/**
 * A cluster that could be backed up for longer than a backup may be old, and has no verified one, isn't at its beginning any
 * more: by now it holds data that nothing protects.
 */
function isOverdue({ begunAt, observedAt }: Evidence, { maximumAge }: Limits): boolean {
  return begunAt !== null && !(secondsBetween(begunAt, observedAt) <= maximumAge);
}

function letsThrough(
  evidence: Evidence,
  limits: Limits,
  verdict: Verdict,
  findings: readonly Finding[],
): Judgement['letsThrough'] {
  if (verdict === 'fresh') return 'fresh';
  const trustworthy = findings.every(
    ({ rule, verdict: found }) => (rule !== 'identity' && rule !== 'readable') || found === 'fresh',
  );
  if (!trustworthy || isOverdue(evidence, limits)) return null;
  switch (evidence.phase) {
    case 'none':
    case 'provisioning':
      return 'first-provision';
    case 'adopting':
      return 'adoption';
    case 'established':
      return null;
  }
}
