import { formatDuration } from './durations';
import type { BackupSet, Evidence, Verification } from './evidence';
import { judgeIdentity, judgeReadable } from './readability';
import type { BackupSettings } from './settings/stack';
import { milliseconds, secondsBetween } from './time';

export type Verdict = 'fresh' | 'stale' | 'missing' | 'unknown';

/** What is promised for a cluster; all in seconds. */
export interface Limits {
  readonly maximumAge: number;
  readonly verificationMaximumAge: number;
  readonly rpo: number;
  readonly rto: number;
}

/**
 * One rule's judgement. `identity` covers system identifiers that contradict each other or a known cluster that isn't there,
 * and is never waived; `readable` covers everything else that could not be read or contradicts itself.
 */
export interface Finding {
  readonly rule: 'identity' | 'readable' | 'recent' | 'restorable' | 'verified';
  readonly verdict: Verdict;
  /** The evidence and the limit, in a sentence. */
  readonly message: string;
  /** What to do about it; null when the verdict is fresh. */
  readonly remedy: string | null;
}

export interface Judgement {
  /** The worst of the findings: unknown, missing, stale, fresh. */
  readonly verdict: Verdict;
  /** One for each rule, in the order of the type. */
  readonly findings: readonly Finding[];
  readonly newestUsable: BackupSet | null;
  /** Only while a cluster is first provisioned or adopted does a verdict other than fresh let a change through. */
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

const badness: Readonly<Record<Verdict, number>> = { fresh: 0, stale: 1, missing: 2, unknown: 3 };

/** The worst of some verdicts; fresh when there are none. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce((a, b) => (badness[b] > badness[a] ? b : a), 'fresh');
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
  return { verdict, findings, newestUsable, letsThrough: letsThrough(evidence, verdict, findings) };
}

function newest(backups: readonly BackupSet[]): BackupSet | null {
  let found: BackupSet | null = null;
  for (const backup of backups)
    if (found === null || milliseconds(backup.stoppedAt) >= milliseconds(found.stoppedAt)) found = backup;
  return found;
}

function letsThrough(
  evidence: Evidence,
  verdict: Verdict,
  findings: readonly Finding[],
): Judgement['letsThrough'] {
  if (verdict === 'fresh') return 'fresh';
  const trustworthy = findings.every(
    ({ rule, verdict: found }) => (rule !== 'identity' && rule !== 'readable') || found === 'fresh',
  );
  if (!trustworthy) return null;
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

function judgeRecent(evidence: Evidence, limits: Limits, newestUsable: BackupSet | null): Finding {
  const rule = 'recent';
  const limit = formatDuration(limits.maximumAge);
  const remedy = `holdfast backup ${evidence.cluster}`;
  if (newestUsable === null) return { rule, verdict: 'missing', message: noBackup(evidence), remedy };
  const age = secondsBetween(newestUsable.stoppedAt, evidence.observedAt);
  const name = `the newest usable backup (${newestUsable.id}, ${newestUsable.kind})`;
  if (age <= limits.maximumAge)
    return {
      rule,
      verdict: 'fresh',
      message: `${name} is ${formatAge(age)} old; at most ${limit} is allowed`,
      remedy: null,
    };
  return {
    rule,
    verdict: 'stale',
    message: `${name} is ${formatAge(age)} old; at most ${limit} is allowed`,
    remedy,
  };
}

function noBackup({ backups }: Evidence): string {
  if (backups.length === 0) return 'there is no backup';
  const reasons = [...new Set(backups.map(backup => `${backup.id}: ${backup.unusable ?? 'usable'}`))];
  return `none of the ${backups.length} backup sets is usable (${reasons.slice(-2).join('; ')})`;
}

/** An age as a person says it; a clock's tolerance can make it slightly negative. */
function formatAge(seconds: number): string {
  return Number.isNaN(seconds) ? 'an unknown time' : formatDuration(Math.max(0, seconds));
}

function judgeRestorable(evidence: Evidence, limits: Limits, newestUsable: BackupSet | null): Finding {
  const rule = 'restorable';
  const { archive, cluster, server } = evidence;
  const worstOf: { verdict: Verdict; message: string; remedy: string }[] = [];
  const add = (verdict: Verdict, message: string, remedy: string) =>
    worstOf.push({ verdict, message, remedy });

  if (newestUsable === null) add('missing', noBackup(evidence), `holdfast backup ${cluster}`);
  if (server.state === 'stopped')
    add(
      'unknown',
      'the server is stopped, so nothing is known of its WAL',
      `start the cluster, then holdfast status`,
    );
  else if (archive === null)
    add('unknown', 'nothing is known of the server’s WAL archiving', 'holdfast status');
  if (archive !== null) {
    if (archive.failing !== null)
      add(
        'stale',
        `WAL archiving doesn’t work: ${archive.failing}`,
        'repair it, then holdfast status shows it working',
      );
    for (const gap of archive.gaps)
      add(
        'missing',
        `WAL is missing in the repository on timeline ${gap.timeline}: ${gap.from === gap.to ? gap.from : `${gap.from} to ${gap.to}`}`,
        `holdfast backup ${cluster} --kind full`,
      );
    if (archive.oldestUnarchivedChangeAt !== null) {
      const age = secondsBetween(archive.oldestUnarchivedChangeAt, evidence.observedAt);
      if (!(age <= limits.rpo))
        add(
          'stale',
          `the oldest change that is not archived is ${formatAge(age)} old; the RPO is ${formatDuration(limits.rpo)}`,
          'holdfast status shows what archiving waits for',
        );
    }
  }
  if (worstOf.length === 0)
    return {
      rule,
      verdict: 'fresh',
      message: `WAL is archived without a gap since the newest usable backup; no change older than ${formatDuration(limits.rpo)} waits`,
      remedy: null,
    };
  return {
    rule,
    verdict: worst(worstOf.map(entry => entry.verdict)),
    message: worstOf.map(entry => entry.message).join('; '),
    remedy: [...new Set(worstOf.map(entry => entry.remedy))].join('; '),
  };
}

interface Verified {
  readonly backup: BackupSet;
  readonly verification: Verification;
}

function judgeVerified(evidence: Evidence, limits: Limits, newestUsable: BackupSet | null): Finding {
  const rule = 'verified';
  const remedy = `holdfast verify ${evidence.cluster}`;
  if (newestUsable === null)
    return {
      rule,
      verdict: 'missing',
      message: noBackup(evidence),
      remedy: `holdfast backup ${evidence.cluster}, then ${remedy}`,
    };
  const all = evidence.backups.flatMap(backup =>
    backup.verification === null ? [] : [{ backup, verification: backup.verification }],
  );
  const passed = newestVerified(
    all.filter(v => v.verification.result === 'passed' && v.backup.unusable === null),
  );
  const failed = newestVerified(all.filter(v => v.verification.result === 'failed'));
  const limit = formatDuration(limits.verificationMaximumAge);

  if (
    failed !== null &&
    !(passed !== null && milliseconds(failed.verification.at) < milliseconds(passed.verification.at))
  )
    return {
      rule,
      verdict: passed === null ? 'missing' : 'stale',
      message: `the newest verification (of ${failed.backup.id}, ${failed.verification.at}) failed: ${failed.verification.reason ?? 'no reason was recorded'}; that holds until one passes`,
      remedy: `repair what failed, then ${remedy}`,
    };
  if (passed === null)
    return {
      rule,
      verdict: 'missing',
      message: `no usable backup set was ever verified; one within ${limit} is needed`,
      remedy,
    };
  const { backup, verification } = passed;
  const age = secondsBetween(verification.at, evidence.observedAt);
  const problems: string[] = [];
  const remedies: string[] = [];
  if (!(age <= limits.verificationMaximumAge)) {
    problems.push(
      `the newest verification (of ${backup.id}) is ${formatAge(age)} old; at most ${limit} is allowed`,
    );
    remedies.push(remedy);
  }
  if (!(verification.restoreSeconds <= limits.rto)) {
    problems.push(
      `restoring ${backup.id} took ${formatDuration(verification.restoreSeconds)}; the RTO is ${formatDuration(limits.rto)}`,
    );
    remedies.push(`make restores faster or raise backups.rto, then ${remedy}`);
  }
  if (problems.length > 0)
    return { rule, verdict: 'stale', message: problems.join('; '), remedy: remedies.join('; ') };
  return {
    rule,
    verdict: 'fresh',
    message: `${backup.id} was verified ${formatAge(age)} ago and restored in ${formatDuration(verification.restoreSeconds)}; within ${limit} and an RTO of ${formatDuration(limits.rto)} is needed`,
    remedy: null,
  };
}

function newestVerified(all: readonly Verified[]): Verified | null {
  let found: Verified | null = null;
  for (const entry of all)
    if (found === null || milliseconds(entry.verification.at) >= milliseconds(found.verification.at))
      found = entry;
  return found;
}
