import fc from 'fast-check';
import { formatLsn, parseLsn } from '../../../core/lsn';
import {
  compareSegments,
  formatSegment,
  gaps,
  nextSegment,
  parseSegment,
  segmentOf,
} from '../../../core/wal';

const size = fc.integer({ min: 0, max: 10 }).map(power => 1024 * 1024 * 2 ** power);
const timeline = fc.integer({ min: 1, max: 0xffff_ffff });
/** Up to the end of all WAL: positions are beyond 2^53. */
const lsn = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test('positions and names survive being written and read', () =>
  fc.assert(
    fc.property(lsn, timeline, size, (position, line, bytes) => {
      expect(parseLsn(formatLsn(position))).toBe(position);
      const name = segmentOf(position, line, bytes);
      expect(formatSegment(parseSegment(name, bytes), bytes)).toBe(name);
      expect(parseSegment(name, bytes)).toEqual({ timeline: line, number: position / BigInt(bytes) });
    }),
  ));

test('the next segment comes right after', () =>
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n }), size, (position, bytes) => {
      const name = segmentOf(position, 1, bytes);
      const next = nextSegment(name, bytes);
      expect(compareSegments(name, next, bytes)).toBeLessThan(0);
      expect(compareSegments(next, name, bytes)).toBeGreaterThan(0);
      expect(parseSegment(next, bytes).number - parseSegment(name, bytes).number).toBe(1n);
    }),
  ));

test('exactly what was taken out of a whole archive is reported as missing', () =>
  fc.assert(
    fc.property(
      // Well before the end of all WAL, which has 2^34 segments of 1 GiB.
      fc.bigInt({ min: 0n, max: 2n ** 33n }),
      size,
      fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
      fc.boolean(),
      (first, bytes, kept, shuffle) => {
        const name = (index: number) => formatSegment({ timeline: 3, number: first + BigInt(index) }, bytes);
        // The newest one is always there: what comes after it was never archived.
        const present = [...kept, true].flatMap((keep, index) => (keep ? [name(index)] : []));
        const missing = kept.flatMap((keep, index) => (keep ? [] : [name(index)]));
        const found = gaps(shuffle ? present.reverse() : present, { segment: name(0) }, bytes);
        const listed = found.flatMap(({ from, to }) => {
          const all = [from];
          while (all.at(-1) !== to) all.push(nextSegment(all.at(-1)!, bytes));
          return all;
        });
        expect(listed).toEqual(missing);
        // As few gaps as can be: no two of them touch.
        found
          .slice(1)
          .forEach(({ from }, index) => expect(nextSegment(found[index]!.to, bytes)).not.toBe(from));
      },
    ),
  ));
