import { HoldfastError } from './errors';
import { parseLsn, type Lsn } from './lsn';

/** Where a timeline comes from: each ancestor, oldest first, and the position at which it was left. */
export interface TimelineHistory {
  readonly timeline: number;
  readonly ancestors: readonly { readonly timeline: number; readonly until: Lsn }[];
}

const namePattern = /^([0-9A-F]{8})\.history$/;

/** Whether a file's name is that of a timeline history (`00000002.history`). */
export function isHistoryName(name: string): boolean {
  return namePattern.test(name);
}

/**
 * Reads a timeline-history file: a line for each ancestor, with its timeline, the position and a reason.
 * @throws HoldfastError `engine-failed` when name or content are not of one.
 */
export function parseHistory(name: string, content: string): TimelineHistory {
  const timeline = namePattern.exec(name)?.[1];
  if (timeline === undefined)
    throw new HoldfastError('engine-failed', `${JSON.stringify(name)} is not the name of a timeline history`);
  const lines = content.split('\n').map(line => line.trim());
  const ancestors = lines.flatMap(line => {
    if (line === '' || line.startsWith('#')) return [];
    const [, ancestor, position] = /^(\d+)\s+(\S+)/.exec(line) ?? [];
    if (ancestor === undefined || position === undefined)
      throw new HoldfastError(
        'engine-failed',
        `${name} has a line that is not of a timeline history: ${line}`,
      );
    return [{ timeline: Number(ancestor), until: parseLsn(position) }];
  });
  return { timeline: Number.parseInt(timeline, 16), ancestors };
}

/** A timeline on the way to the newest one, and where it begins; null where that isn't known. */
export interface TimelineLink {
  readonly timeline: number;
  readonly begin: Lsn | null;
}

/**
 * The timelines to go through from `start` to the newest of `present`. Where the newest one's history is known, only its
 * ancestors are on the way (just `start` when it isn't one of them: its WAL leads nowhere else); where it isn't, all from
 * `start` on.
 */
export function chainOf(
  start: number,
  present: readonly number[],
  histories: readonly TimelineHistory[],
): TimelineLink[] {
  const newest = Math.max(start, ...present);
  const history = histories.find(({ timeline }) => timeline === newest);
  if (history === undefined)
    return [start, ...present.filter(timeline => timeline > start).sort((a, b) => a - b)].map(timeline => ({
      timeline,
      begin: null,
    }));
  const links = [...history.ancestors.map(({ timeline }) => timeline), newest].map((timeline, index) => ({
    timeline,
    begin: history.ancestors[index - 1]?.until ?? null,
  }));
  const index = links.findIndex(({ timeline }) => timeline === start);
  return index < 0 ? [{ timeline: start, begin: null }] : links.slice(index);
}
