import { formatDuration } from '../durations';
import type { BackupSet, Evidence } from '../evidence';
import { secondsBetween } from '../time';
import { finding, formatAge, noUsableBackup, type Finding, type Limits } from './finding';

/** Whether the newest usable backup set is young enough. */
export function judgeRecent(evidence: Evidence, limits: Limits, newestUsable: BackupSet | null): Finding {
  if (newestUsable === null) return finding('recent', [noUsableBackup(evidence)], '');
  const age = secondsBetween(newestUsable.stoppedAt, evidence.observedAt);
  const message = `the newest usable backup (${newestUsable.id}, ${newestUsable.kind}) is ${formatAge(age)}; at most ${formatDuration(limits.maximumAge)} is allowed`;
  if (age <= limits.maximumAge) return finding('recent', [], message);
  return finding(
    'recent',
    [{ verdict: 'stale', message, remedy: `holdfast backup ${evidence.cluster}` }],
    '',
  );
}
