import { formatDuration } from '../durations';
import type { ArchiveEvidence, BackupSet, Evidence, WalGap } from '../evidence';
import { secondsBetween } from '../time';
import { finding, formatAge, noUsableBackup, type Trouble, type Finding, type Limits } from './finding';
import { wordsOf } from './words';

/** Whether the cluster can be taken back to any moment up to now: WAL arrives, without a gap, within the RPO. */
export function judgeRestorable(evidence: Evidence, limits: Limits, newestUsable: BackupSet | null): Finding {
  const troubles = [
    ...(newestUsable === null ? [noUsableBackup(evidence)] : []),
    ...unknownArchive(evidence),
    ...(evidence.archive === null ? [] : archiveTroubles(evidence.archive, evidence, limits)),
  ];
  return finding('restorable', troubles, wordsOf[evidence.engine].archived(formatDuration(limits.rpo)));
}

function unknownArchive({ server, archive, cluster, engine }: Evidence): Trouble[] {
  const { archiving, stopped } = wordsOf[engine];
  if (server.state === 'stopped')
    return [{ verdict: 'unknown', message: stopped, remedy: `start ${cluster}, then holdfast status` }];
  if (archive !== null) return [];
  return [{ verdict: 'unknown', message: `nothing is known of ${archiving}`, remedy: 'holdfast status' }];
}

function archiveTroubles(archive: ArchiveEvidence, evidence: Evidence, limits: Limits): Trouble[] {
  const { failing, gaps, oldestUnarchivedChangeAt } = archive;
  const { archiving, archivingRemedy, oldest, lateRemedy } = wordsOf[evidence.engine];
  const troubles: Trouble[] = [];
  if (failing !== null)
    troubles.push({
      verdict: 'stale',
      message: `${archiving} doesn’t work: ${failing}`,
      remedy: archivingRemedy,
    });
  for (const gap of gaps)
    troubles.push({
      verdict: 'missing',
      message: `WAL is missing in the repository: ${formatGap(gap)}`,
      remedy: `holdfast backup ${evidence.cluster} --kind full`,
    });
  if (oldestUnarchivedChangeAt === null) return troubles;
  const age = secondsBetween(oldestUnarchivedChangeAt, evidence.observedAt);
  if (!(age <= limits.rpo))
    troubles.push({
      verdict: 'stale',
      message: `${oldest} is ${formatAge(age)}; the RPO is ${formatDuration(limits.rpo)}`,
      remedy: lateRemedy,
    });
  return troubles;
}

function formatGap({ timeline, from, to }: WalGap): string {
  return `${from === to ? from : `${from} to ${to}`} (timeline ${timeline})`;
}
