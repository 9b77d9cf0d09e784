import { formatDuration } from '../durations';
import type { BackupSet, Evidence, Verification } from '../evidence';
import { milliseconds, secondsBetween } from '../time';
import { finding, formatAge, noUsableBackup, type Trouble, type Finding, type Limits } from './finding';

interface Verified {
  readonly backup: BackupSet;
  readonly verification: Verification;
}

/**
 * Whether a usable backup set was restored and checked recently enough, and fast enough. A failed verification, of whatever
 * backup set, holds until a later one passes.
 */
export function judgeVerified(evidence: Evidence, limits: Limits, newestUsable: BackupSet | null): Finding {
  if (newestUsable === null) return finding('verified', [noUsableBackup(evidence)], '');
  const all = evidence.backups.flatMap(backup =>
    backup.verification === null ? [] : [{ backup, verification: backup.verification }],
  );
  const passed = newest(
    all.filter(({ backup, verification }) => verification.result === 'passed' && backup.unusable === null),
  );
  const failed = newest(all.filter(({ verification }) => verification.result === 'failed'));
  const remedy = `holdfast verify ${evidence.cluster}`;
  const within = `one within ${formatDuration(limits.verificationMaximumAge)} is needed`;

  const troubles: Trouble[] = [];
  if (failed !== undefined && !holdsNoMore(failed, passed))
    troubles.push({
      verdict: passed === undefined ? 'missing' : 'stale',
      message: `the verification of ${failed.backup.id} (${failed.verification.at}) failed: ${failed.verification.reason ?? 'no reason was recorded'}; this holds until a later one passes`,
      remedy: `repair what failed, then ${remedy}`,
    });
  else if (passed === undefined)
    troubles.push({
      verdict: 'missing',
      message: `no usable backup set was ever verified; ${within}`,
      remedy,
    });
  if (passed === undefined) return finding('verified', troubles, '');

  const age = secondsBetween(passed.verification.at, evidence.observedAt);
  const said = `the newest passed verification (of ${passed.backup.id}) is ${formatAge(age)}; ${within}`;
  const took = `the restore took ${formatDuration(passed.verification.restoreSeconds)}; the RTO is ${formatDuration(limits.rto)}`;
  if (!(age <= limits.verificationMaximumAge)) troubles.push({ verdict: 'stale', message: said, remedy });
  if (!(passed.verification.restoreSeconds <= limits.rto))
    troubles.push({
      verdict: 'stale',
      message: `of ${passed.backup.id}, ${took}`,
      remedy: `make restores faster or the RTO longer (backups.rto), then ${remedy}`,
    });
  return finding('verified', troubles, `${said}; ${took}`);
}

function holdsNoMore(failed: Verified, passed: Verified | undefined): boolean {
  return passed !== undefined && milliseconds(passed.verification.at) > milliseconds(failed.verification.at);
}

function newest(all: readonly Verified[]): Verified | undefined {
  return [...all].sort((a, b) => milliseconds(a.verification.at) - milliseconds(b.verification.at)).at(-1);
}
