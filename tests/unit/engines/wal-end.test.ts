import { missingTail, neverArchived } from '../../../engines/host/evidence-archive';
import type { ServerFacts } from '../../../engines/host/evidence-server';

const segmentBytes = 16 * 1024 * 1024;
const segment = (number: number, timeline = 1) => {
  const hex = (value: number, digits: number) => value.toString(16).toUpperCase().padStart(digits, '0');
  return `${hex(timeline, 8)}00000000${hex(number, 8)}`;
};
const archived = (...numbers: number[]) => numbers.map(number => ({ name: segment(number), writtenAt: 0 }));
/** A server that writes in this segment. */
const writing = (number: number, facts: Partial<ServerFacts> = {}) =>
  ({ lsn: BigInt(number * segmentBytes), timeline: 1, segmentBytes, ...facts }) as ServerFacts;

describe('WAL that was completed and is nowhere', () => {
  it('is what lies between the newest that is known and the one that is written', () => {
    const gap = { timeline: 1, from: segment(6), to: segment(7) };
    expect(neverArchived(archived(4, 5), [], writing(8))).toEqual(gap);
    expect(neverArchived(archived(4), [segment(5)], writing(8))).toEqual(gap);
  });

  it('is none, where the newest that is known is the one before', () => {
    expect(neverArchived(archived(4, 5), [], writing(6))).toBeNull();
    expect(neverArchived(archived(4), [segment(5)], writing(6))).toBeNull();
  });

  it('is not guessed of a standby, nor on a timeline of which nothing is known', () => {
    expect(neverArchived(archived(4), [], writing(8, { lsn: null }))).toBeNull();
    expect(neverArchived(archived(4), [], writing(8, { timeline: 2 }))).toBeNull();
  });
});

describe('WAL that the server archived last', () => {
  const last = (name: string | null) => writing(9, { lastArchivedSegment: name });

  it('is missing where the repository ends before it, or has nothing', () => {
    expect(missingTail(archived(4), last(segment(6)))).toEqual({
      timeline: 1,
      from: segment(5),
      to: segment(6),
    });
    expect(missingTail([], last(segment(6)))).toEqual({ timeline: 1, from: segment(6), to: segment(6) });
  });

  it('is not missing where it is there, or was no segment', () => {
    expect(missingTail(archived(6), last(segment(6)))).toBeNull();
    expect(missingTail(archived(4), last('00000002.history'))).toBeNull();
    expect(missingTail(archived(4), last(null))).toBeNull();
  });
});
