import { HoldfastError } from './errors';
import type { WalGap } from './evidence';
import type { Lsn } from './lsn';
import { chainOf, type TimelineHistory } from './timeline';

/** A segment of WAL: a timeline, and which of the segments of all WAL it is. */
export interface Segment {
  readonly timeline: number;
  readonly number: bigint;
}

const segmentPattern = /^([0-9A-F]{8})([0-9A-F]{8})([0-9A-F]{8})$/;
const leastSize = 1024 * 1024;
const largestSize = 1024 * leastSize;

/** Segments in one of the 4 GiB "log files" that a name's middle part counts. */
function segmentsPerLog(segmentSizeBytes: number): bigint {
  const isPowerOfTwo = Number.isInteger(Math.log2(segmentSizeBytes));
  if (!isPowerOfTwo || segmentSizeBytes < leastSize || segmentSizeBytes > largestSize)
    throw new HoldfastError('engine-failed', `a WAL segment can’t have ${segmentSizeBytes} bytes`);
  return 0x1_0000_0000n / BigInt(segmentSizeBytes);
}

/** Whether a file's name is that of a complete segment (not of a partial one, a history or a backup's label). */
export function isSegmentName(name: string): boolean {
  return segmentPattern.test(name);
}

/**
 * Reads a segment's name, 24 hexadecimal digits.
 * @throws HoldfastError `engine-failed` when it isn't one, or impossible with this segment size.
 */
export function parseSegment(name: string, segmentSizeBytes: number): Segment {
  const perLog = segmentsPerLog(segmentSizeBytes);
  const match = segmentPattern.exec(name);
  const [timeline, log, inLog] = (match?.slice(1) ?? []).map(part => BigInt(`0x${part}`));
  if (timeline === undefined || log === undefined || inLog === undefined || inLog >= perLog)
    throw new HoldfastError('engine-failed', `${JSON.stringify(name)} is not the name of a WAL segment`);
  return { timeline: Number(timeline), number: log * perLog + inLog };
}

/** The name of a segment. */
export function formatSegment({ timeline, number }: Segment, segmentSizeBytes: number): string {
  const perLog = segmentsPerLog(segmentSizeBytes);
  return [BigInt(timeline), number / perLog, number % perLog]
    .map(part => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('');
}

/** The name of the segment that follows on the same timeline. */
export function nextSegment(name: string, segmentSizeBytes: number): string {
  const { timeline, number } = parseSegment(name, segmentSizeBytes);
  return formatSegment({ timeline, number: number + 1n }, segmentSizeBytes);
}

/** Negative when `a` comes before `b` in the WAL (a lower timeline before a higher one at the same place). */
export function compareSegments(a: string, b: string, segmentSizeBytes: number): number {
  const [first, second] = [parseSegment(a, segmentSizeBytes), parseSegment(b, segmentSizeBytes)];
  if (first.number !== second.number) return first.number < second.number ? -1 : 1;
  return first.timeline - second.timeline;
}

/**
 * The name of the segment that contains a position. One on a boundary is in the segment that begins there
 * (`pg_walfile_name` answers with the one that ends there).
 */
export function segmentOf(lsn: Lsn, timeline: number, segmentSizeBytes: number): string {
  return formatSegment({ timeline, number: lsn / BigInt(segmentSizeBytes) }, segmentSizeBytes);
}

/** Where contiguity is looked for. */
export interface WalRange {
  /** The first segment that is needed: where the backup set starts. */
  readonly segment: string;
  /** The last one that is needed at least: where the backup set stops. */
  readonly through?: string;
}

/**
 * The WAL that is missing in a repository, from the start of a backup set on; nobody else reports it.
 *
 * On the backup set's timeline every segment is needed up to where the next timeline branched off (its history says where;
 * without it, up to the newest segment there), then every segment of that timeline from the branch on, and so on to the
 * newest timeline. Segments of timelines that were abandoned are not needed.
 * @param segments names in the repository, in any order; names of other files are ignored.
 * @param histories the timeline-history files of the repository.
 */
export function gaps(
  segments: readonly string[],
  from: WalRange,
  segmentSizeBytes: number,
  histories: readonly TimelineHistory[] = [],
): WalGap[] {
  const start = parseSegment(from.segment, segmentSizeBytes);
  const through = from.through === undefined ? start : parseSegment(from.through, segmentSizeBytes);
  const present = byTimeline(segments, segmentSizeBytes);
  const size = BigInt(segmentSizeBytes);
  const chain = chainOf(start.timeline, [...present.keys()], histories).map(link => ({
    timeline: link.timeline,
    begin: link.begin === null ? null : link.begin / size,
  }));
  const found: WalGap[] = [];
  let next = start.number;
  for (const [index, { timeline }] of chain.entries()) {
    const numbers = present.get(timeline) ?? [];
    // A segment in which the next timeline branches off is completed on that timeline only.
    const branch = chain[index + 1]?.begin;
    const newest = numbers.at(-1) ?? next - 1n;
    const needed = timeline === start.timeline && through.number > newest ? through.number : newest;
    const end = branch === undefined || branch === null ? needed : branch - 1n;
    for (const hole of holes(numbers, next, end))
      found.push({
        timeline,
        from: formatSegment({ timeline, number: hole.from }, segmentSizeBytes),
        to: formatSegment({ timeline, number: hole.to }, segmentSizeBytes),
      });
    // Without a history, the next timeline may begin in a segment that this one has too.
    const following = chain[index + 1];
    if (following !== undefined)
      next = following.begin ?? smaller(end + 1n, present.get(following.timeline)?.[0]);
  }
  return found;
}

/** Ascending numbers of the segments of each timeline. */
function byTimeline(segments: readonly string[], segmentSizeBytes: number): Map<number, bigint[]> {
  const present = new Map<number, bigint[]>();
  for (const name of new Set(segments)) {
    if (!isSegmentName(name)) continue;
    const { timeline, number } = parseSegment(name, segmentSizeBytes);
    const numbers = present.get(timeline);
    if (numbers === undefined) present.set(timeline, [number]);
    else numbers.push(number);
  }
  for (const numbers of present.values()) numbers.sort((a, b) => (a < b ? -1 : 1));
  return present;
}

/** What is missing of `from` to `to` (both needed) in ascending numbers. */
function holes(numbers: readonly bigint[], from: bigint, to: bigint): { from: bigint; to: bigint }[] {
  const found: { from: bigint; to: bigint }[] = [];
  let next = from;
  for (const number of numbers) {
    if (number < next) continue;
    if (number > to) break;
    if (number > next) found.push({ from: next, to: number - 1n });
    next = number + 1n;
  }
  if (next <= to) found.push({ from: next, to });
  return found;
}

function smaller(a: bigint, b: bigint | undefined): bigint {
  return b === undefined || a < b ? a : b;
}
