import { HoldfastError } from '../../../core/errors';
import { parseLsn } from '../../../core/lsn';
import { toPostgresTime } from '../../../core/recovery-target';
import type { TimelineHistory } from '../../../core/timeline';
import type { CloneRequest } from '../../engine';
import { clusterOf, type HostContext } from '../context';
import type { RepositoryFacts } from '../evidence-repository';
import type { ListedSet } from '../pgbackrest/info';
import type { Settings } from '../postgres/configuration-file';
import { restorePoints } from '../restore-point';

/** What is restored, and how far WAL is replayed from there. */
export interface Plan {
  readonly set: ListedSet;
  readonly recovery: Settings;
  /**
   * The newest archived segment of the timeline, where recovery may come to the end of the WAL: it has to come so far. Null
   * where recovery ends at a position, or fails.
   */
  readonly lastSegment: string | null;
}

/**
 * Chooses the backup set, which is the newest usable one before the target on the way to its timeline, and the settings of
 * recovery. pgBackRest isn't left to choose: it doesn't know which sets are broken, nor where a restore point is.
 *
 * @throws HoldfastError `configuration` when the target can't be reached from any set.
 */
export async function planClone(
  context: HostContext,
  request: CloneRequest,
  facts: RepositoryFacts,
): Promise<Plan> {
  const { target } = request;
  switch (target.type) {
    case 'latest': {
      const timeline = newestTimeline(facts);
      const set = choose(context, request, facts, timeline, () => true);
      return {
        set,
        recovery: { recovery_target_timeline: 'latest' },
        lastSegment: newestSegment(facts, timeline),
      };
    }
    case 'time': {
      const at = Date.parse(target.at);
      const timeline = timelineAt(facts, at);
      const set = choose(context, request, facts, timeline, ({ stoppedAt }) => Date.parse(stoppedAt) < at);
      return {
        set,
        recovery: {
          recovery_target_time: toPostgresTime(target.at),
          recovery_target_timeline: String(timeline),
          recovery_target_action: 'promote',
        },
        lastSegment: newestSegment(facts, timeline),
      };
    }
    case 'restore-point': {
      const point = (await restorePoints(context)).findLast(({ name }) => name === target.name);
      if (!point) throw await unknownPoint(context, target.name);
      const position = parseLsn(point.position);
      const set = choose(
        context,
        request,
        facts,
        point.timeline,
        ({ stopLsn }) => stopLsn !== null && parseLsn(stopLsn) <= position,
      );
      return { set, recovery: untilLsn(point.position, point.timeline, false), lastSegment: null };
    }
    case 'backup-set': {
      const set = facts.info.sets.find(({ label }) => label === target.id);
      const broken = facts.unusable.get(target.id);
      if (!set || broken !== undefined)
        throw new HoldfastError(
          'check-failed',
          `backup set ${target.id} of ${clusterOf(context)} can’t be restored: ${broken ?? 'it isn’t in the repository'}`,
          { hint: '`holdfast status` lists the backup sets.' },
        );
      return {
        set,
        recovery: {
          recovery_target: 'immediate',
          recovery_target_timeline: 'current',
          recovery_target_action: 'promote',
        },
        lastSegment: null,
      };
    }
  }
}

/** Recovery up to a position; `inclusive` replays the record that begins there too. */
export function untilLsn(position: string, timeline: number | string, inclusive: boolean): Settings {
  return {
    recovery_target_lsn: position,
    recovery_target_inclusive: inclusive ? 'on' : 'off',
    recovery_target_timeline: String(timeline),
    recovery_target_action: 'promote',
  };
}

function choose(
  context: HostContext,
  request: CloneRequest,
  facts: RepositoryFacts,
  timeline: number,
  isBefore: (set: ListedSet) => boolean,
): ListedSet {
  const usable = facts.info.sets.filter(
    set =>
      !facts.unusable.has(set.label) && (request.backupSet === undefined || set.label === request.backupSet),
  );
  const found = usable.findLast(set => isBefore(set) && leadsTo(set, timeline, facts.histories));
  if (found) return found;
  const [oldest] = usable;
  throw new HoldfastError(
    'configuration',
    `no usable backup set of ${clusterOf(context)} ${request.backupSet === undefined ? '' : `(only ${request.backupSet} is allowed) `}stopped before the moment to go back to`,
    {
      hint:
        oldest === undefined
          ? `Take one: holdfast backup ${clusterOf(context)} --kind full.`
          : `Restorable is from ${toPostgresTime(oldest.stoppedAt)} on.`,
    },
  );
}

/** Whether WAL leads from the end of a set to a timeline: it is of that timeline, or of an ancestor before it was left. */
function leadsTo(set: ListedSet, timeline: number, histories: readonly TimelineHistory[]): boolean {
  const own = timelineOf(set.lastSegment);
  if (own === timeline) return true;
  const history = histories.find(candidate => candidate.timeline === timeline);
  const ancestor = history?.ancestors.find(candidate => candidate.timeline === own);
  return ancestor !== undefined && set.stopLsn !== null && parseLsn(set.stopLsn) <= ancestor.until;
}

function timelineOf(segment: string | null): number {
  return segment === null ? 1 : parseInt(segment.slice(0, 8), 16);
}

function newestTimeline(facts: RepositoryFacts): number {
  return Math.max(
    1,
    ...facts.histories.map(({ timeline }) => timeline),
    ...facts.info.sets.map(set => timelineOf(set.lastSegment)),
  );
}

/** Names are of one length, so that their order as text is that of the WAL. */
function newestSegment({ segments }: RepositoryFacts, timeline: number): string | null {
  const prefix = timeline.toString(16).toUpperCase().padStart(8, '0');
  const names = segments.map(({ name }) => name).filter(name => name.startsWith(prefix));
  return names.sort().at(-1) ?? null;
}

/** The timeline that the cluster was on at a moment: one begins when its history is archived. */
function timelineAt(facts: RepositoryFacts, at: number): number {
  const begun = facts.historiesArchived.filter(({ archivedAt }) => archivedAt * 1000 <= at);
  const first = Math.min(...facts.info.sets.map(set => timelineOf(set.firstSegment)));
  return Math.max(Number.isFinite(first) ? first : 1, ...begun.map(({ timeline }) => timeline));
}

async function unknownPoint(context: HostContext, name: string): Promise<HoldfastError> {
  const known = (await restorePoints(context)).slice(-5).map(point => `${point.name} (${point.at})`);
  return new HoldfastError('configuration', `cluster ${clusterOf(context)} has no restore point ${name}`, {
    hint:
      known.length === 0
        ? 'None is known. A moment can be named instead: --at TIME.'
        : `The newest are ${known.join(', ')}.`,
  });
}
