import type { Evidence, Instant } from './evidence';
import type { Finding } from './freshness';
import { isAhead } from './time';

/** Whether the evidence is of the cluster that it claims to be of, and that cluster is there. */
export function judgeIdentity(evidence: Evidence): Finding {
  const contradictions = identityContradictions(evidence);
  if (contradictions.length === 0)
    return {
      rule: 'identity',
      verdict: 'fresh',
      message:
        evidence.identity.found === null
          ? 'there is no cluster yet, and no trace of one'
          : `the cluster is the recorded one (system identifier ${evidence.identity.found})`,
      remedy: null,
    };
  return {
    rule: 'identity',
    verdict: 'unknown',
    message: contradictions.join('; '),
    remedy:
      'nothing is changed until the right data is back: mount its disk, or correct dataDirectory or the repository; see `holdfast status`',
  };
}

function identityContradictions({ identity, phase, backups }: Evidence): string[] {
  const { recorded, found, backedUp } = identity;
  const contradictions: string[] = [];
  const differ = (a: string | null, b: string | null) => a !== null && b !== null && a !== b;
  if (differ(recorded, found))
    contradictions.push(
      `the data directory holds the cluster with system identifier ${String(found)}, but ${String(recorded)} is recorded`,
    );
  if (differ(found, backedUp))
    contradictions.push(
      `the repository holds backups of system identifier ${String(backedUp)}, but the data directory holds ${String(found)}`,
    );
  if (differ(recorded, backedUp))
    contradictions.push(
      `the repository holds backups of system identifier ${String(backedUp)}, but ${String(recorded)} is recorded`,
    );
  if (phase === 'established' && recorded === null)
    contradictions.push('the cluster is established, but its record lacks the system identifier');
  if (phase === 'established' && found === null)
    contradictions.push(
      `the cluster is established (system identifier ${recorded ?? 'not recorded'}), but there is nothing where its data should be`,
    );
  if (phase === 'none' && (recorded ?? found ?? backedUp) !== null)
    contradictions.push(
      'there is no record of the cluster, but a system identifier was found: it would have to be adopted',
    );
  if (phase === 'none' && backups.length > 0)
    contradictions.push('there is no record of the cluster, but the repository holds backups');
  return contradictions;
}

/** Whether everything could be read, and no time in it contradicts the clock. */
export function judgeReadable(evidence: Evidence): Finding {
  const problems = [...evidence.problems, ...clockProblems(evidence)];
  if (problems.length === 0)
    return { rule: 'readable', verdict: 'fresh', message: 'all evidence could be read', remedy: null };
  return {
    rule: 'readable',
    verdict: 'unknown',
    message: problems.map(problem => problem.what).join('; '),
    remedy: [...new Set(problems.map(problem => problem.remedy))].join('; '),
  };
}

function clockProblems(evidence: Evidence): { what: string; remedy: string }[] {
  const { observedAt } = evidence;
  if (Number.isNaN(Date.parse(observedAt)))
    return [{ what: `the server’s time can’t be read: ${observedAt}`, remedy: 'holdfast status' }];
  return momentsOf(evidence).flatMap(({ what, at }) => {
    if (!isAhead(at, observedAt)) return [];
    return [
      Number.isNaN(Date.parse(at))
        ? { what: `the time of ${what} can’t be read: ${at}`, remedy: 'holdfast status' }
        : {
            what: `${what} is of ${at}, but the server’s clock says ${observedAt}`,
            remedy: 'set the clock right (timedatectl shows whether it is synchronised)',
          },
    ];
  });
}

function momentsOf({ backups, archive, restorable }: Evidence): { what: string; at: Instant }[] {
  const moments: { what: string; at: Instant | null | undefined }[] = [
    ...backups.flatMap(backup => [
      { what: `backup ${backup.id}`, at: backup.startedAt },
      { what: `the end of backup ${backup.id}`, at: backup.stoppedAt },
      { what: `the verification of ${backup.id}`, at: backup.verification?.at },
    ]),
    { what: 'the last archived WAL', at: archive?.lastArchivedAt },
    { what: 'the last archiving failure', at: archive?.lastFailedAt },
    { what: 'the oldest change that is not archived', at: archive?.oldestUnarchivedChangeAt },
    { what: 'the begin of what can be restored', at: restorable?.from },
    { what: 'the end of what can be restored', at: restorable?.until },
  ];
  return moments.flatMap(({ what, at }) => (at === null || at === undefined ? [] : [{ what, at }]));
}
