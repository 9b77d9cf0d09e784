import type { Evidence, Instant } from '../evidence';
import { isAhead } from '../time';
import { finding, type Trouble, type Finding } from './finding';
import { wordsOf } from './words';

/** Whether everything could be read, and no time in it contradicts the clock. */
export function judgeReadable(evidence: Evidence): Finding {
  const unread = evidence.problems.map(({ what, remedy }) => trouble(what, remedy));
  return finding('readable', [...unread, ...clockTroubles(evidence)], 'all evidence could be read');
}

function trouble(message: string, remedy: string): Trouble {
  return { verdict: 'unknown', message, remedy };
}

function clockTroubles(evidence: Evidence): Trouble[] {
  const { observedAt } = evidence;
  const isMoment = (at: Instant) => !Number.isNaN(Date.parse(at));
  if (!isMoment(observedAt))
    return [trouble(`the server’s time can’t be read: ${observedAt}`, 'holdfast status')];
  return momentsOf(evidence)
    .filter(({ at }) => isAhead(at, observedAt))
    .map(({ what, at }) =>
      isMoment(at)
        ? trouble(
            `${what} is of ${at}, but the server’s clock says ${observedAt}`,
            wordsOf[evidence.engine].clockRemedy,
          )
        : trouble(`the time of ${what} can’t be read: ${at}`, 'holdfast status'),
    );
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
