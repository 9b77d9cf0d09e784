import fc from 'fast-check';
import { dueJobs, nextRuns, type LastRuns, type ScheduledJob, type Schedules } from '../../../core/schedule';
import { after } from '../../../core/time';

const field = (least: number, most: number) =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: least, max: most }).map(String),
    fc.integer({ min: 2, max: Math.min(12, most) }).map(step => `*/${step}`),
  );
const cron = fc
  .tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 6))
  .map(fields => fields.join(' '));
const schedules: fc.Arbitrary<Schedules> = fc.record({
  full: cron,
  differential: fc.oneof(cron, fc.constant('never')),
  incremental: fc.oneof(cron, fc.constant('never')),
  verification: cron,
});
const begin = Date.parse('2026-01-01T00:00:00Z');
const instant = (least: number, most: number) =>
  fc.integer({ min: begin + least * 1000, max: begin + most * 1000 }).map(at => new Date(at).toISOString());
const year = 365 * 86_400;
const jobs: readonly ScheduledJob[] = ['full', 'differential', 'incremental', 'verification'];
const lastRuns: fc.Arbitrary<LastRuns> = fc.record(
  {
    full: instant(-year, 4 * year),
    differential: instant(-year, 4 * year),
    incremental: instant(-year, 4 * year),
    verification: instant(-year, 4 * year),
  },
  { requiredKeys: [] },
);

test('whatever is missed, a handful of runs catches up, and nothing is due after them', () =>
  fc.assert(
    fc.property(schedules, instant(0, year), instant(year, 2 * year), (given, since, now) => {
      const last: LastRuns = {};
      let runs = 0;
      for (let due = dueJobs({ schedules: given, last, since, now }); due !== null; runs++) {
        expect(runs).toBeLessThan(jobs.length);
        last[due.job] = now;
        due = dueJobs({ schedules: given, last, since, now });
      }
    }),
  ));

test('what is due was scheduled at a time that has come, since the schedule counts, and after the last run', () =>
  fc.assert(
    fc.property(schedules, lastRuns, instant(0, year), instant(0, 3 * year), (given, last, since, now) => {
      const due = dueJobs({ schedules: given, last, since, now });
      if (due === null) return;
      expect(due.scheduledAt <= now).toBe(true);
      // A schedule that begins in the future (the clock was set back) begins now.
      expect(due.scheduledAt >= (since < now ? since : now)).toBe(true);
      const own = last[due.job];
      if (own !== undefined && own <= now) expect(due.scheduledAt > own).toBe(true);
    }),
  ));

test('the next run of each job lies ahead, and is when it is due', () =>
  fc.assert(
    fc.property(schedules, instant(0, year), (given, now) => {
      const next = nextRuns(given, now);
      for (const job of jobs) {
        const at = next[job];
        if (at === null) continue;
        expect(at > now).toBe(true);
        const others = { full: now, differential: now, incremental: now, verification: now };
        expect(dueJobs({ schedules: given, last: others, since: now, now: at })).not.toBeNull();
      }
      const earliest = Object.values(next)
        .filter(at => at !== null)
        .sort()[0]!;
      const done = { full: now, differential: now, incremental: now, verification: now };
      expect(dueJobs({ schedules: given, last: done, since: now, now: after(earliest, -1) })).toBeNull();
    }),
  ));
