import { dueJobs, lastRuns, nextRuns, type LastRuns, type Schedules } from '../../../core/schedule';
import { backupSet, evidence, failed, now as observedAt, passed } from './fixtures';

const schedules: Schedules = {
  full: '30 1 * * 0',
  differential: '30 1 * * 1-6',
  incremental: '0 */6 * * *',
  verification: '30 3 * * *',
};
const since = '2026-01-01T00:00:00Z';
/** A Wednesday. */
const now = '2026-03-04T01:31:00Z';
const recent: LastRuns = {
  full: '2026-03-01T01:30:05Z',
  differential: '2026-03-03T01:30:05Z',
  incremental: '2026-03-04T00:00:05Z',
  verification: '2026-03-03T03:30:05Z',
};
const due = (overrides: Partial<Parameters<typeof dueJobs>[0]> = {}) =>
  dueJobs({ schedules, last: recent, since, now, ...overrides });

test('a job is due from its scheduled time on, and no earlier', () => {
  expect(due({ now: '2026-03-04T01:29:59.999Z' })).toBeNull();
  expect(due({ now: '2026-03-04T01:30:00Z' })).toEqual({
    job: 'differential',
    scheduledAt: '2026-03-04T01:30:00.000Z',
  });
});

test('it is due no more once it ran', () =>
  expect(due({ last: { ...recent, differential: '2026-03-04T01:30:00Z' } })).toBeNull());

test('times that were missed are caught up once, with the newest', () => {
  const last = { ...recent, differential: '2026-02-20T01:30:05Z', full: '2026-03-01T01:30:05Z' };
  expect(due({ last })).toEqual({ job: 'differential', scheduledAt: '2026-03-04T01:30:00.000Z' });
  expect(due({ last: { ...last, differential: now } })).toBeNull();
});

test('a full backup covers a differential and an incremental one that are due too', () => {
  const last = { verification: now, full: '2026-02-22T01:30:05Z' };
  expect(due({ last })).toMatchObject({ job: 'full', scheduledAt: '2026-03-01T01:30:00.000Z' });
  expect(due({ last: { ...last, full: now } })).toBeNull();
});

test('a differential backup covers an incremental one', () =>
  expect(due({ last: { verification: now, full: recent.full!, differential: now } })).toBeNull());

test('an incremental backup covers no other', () =>
  expect(due({ last: { ...recent, incremental: now } })).toMatchObject({ job: 'differential' }));

test('backups come before a verification', () => {
  const last = { ...recent, verification: '2026-02-01T03:30:05Z' };
  expect(due({ last })).toMatchObject({ job: 'differential' });
  expect(due({ last: { ...last, differential: now } })).toMatchObject({ job: 'verification' });
});

test('without any full backup the one that is due is a full one', () =>
  expect(
    due({ last: { incremental: recent.incremental!, differential: recent.differential! } }),
  ).toMatchObject({ job: 'full' }));

test('without a backup there is nothing to verify', () => {
  const seldom: Schedules = { ...schedules, full: '0 0 1 1 *', differential: 'never', incremental: 'never' };
  expect(due({ schedules: seldom, last: {}, since: '2026-02-01T00:00:00Z' })).toBeNull();
  expect(due({ schedules: seldom, last: { full: since }, since: '2026-02-01T00:00:00Z' })).toMatchObject({
    job: 'verification',
  });
});

test('times before the schedule began to count were never promised', () => {
  expect(due({ last: {}, since: '2026-03-04T01:30:30Z' })).toBeNull();
  expect(due({ last: {}, since: '2026-03-04T01:30:00Z' })).toBeNull();
  expect(due({ last: {}, since: '2026-03-04T01:29:59Z' })).toMatchObject({ job: 'full' });
});

test('what is never scheduled is never due', () =>
  expect(due({ schedules: { ...schedules, differential: 'never' } })).toBeNull());

describe('when the clock was set back', () => {
  test('a last run in the future doesn’t keep a job from being due', () =>
    expect(due({ last: { ...recent, full: '2031-01-01T00:00:00Z' } })).toMatchObject({ job: 'full' }));

  test('a schedule that begins in the future begins now', () =>
    expect(due({ last: {}, since: '2031-01-01T00:00:00Z' })).toBeNull());

  test('runs of the future are not among the last runs', () =>
    expect(
      lastRuns(
        evidence({
          backups: [
            backupSet({
              startedAt: '2026-03-04T01:30:00Z',
              verification: passed({ at: '2031-01-01T00:00:00Z' }),
            }),
            backupSet({ startedAt: '2031-01-01T00:00:00Z', verification: null }),
          ],
        }),
      ),
    ).toEqual({ full: '2026-03-04T01:30:00Z' }));
});

test('the last runs are the newest successes of each kind', () =>
  expect(
    lastRuns(
      evidence({
        observedAt,
        backups: [
          backupSet({
            startedAt: '2026-03-01T01:30:00Z',
            verification: passed({ at: '2026-03-01T03:30:00Z' }),
          }),
          backupSet({ kind: 'differential', startedAt: '2026-03-03T01:30:00Z', verification: null }),
          backupSet({
            kind: 'differential',
            startedAt: '2026-03-02T01:30:00Z',
            verification: failed({ at: '2026-03-02T03:30:00Z' }),
          }),
          backupSet({ kind: 'incremental', startedAt: '2026-03-04T01:30:00Z', unusable: 'damaged' }),
        ],
      }),
    ),
  ).toEqual({
    full: '2026-03-01T01:30:00Z',
    differential: '2026-03-03T01:30:00Z',
    // It was verified, so that it was usable then.
    verification: expect.any(String) as string,
  }));

test('the next runs are after now, in UTC', () =>
  expect(nextRuns({ ...schedules, incremental: 'never' }, '2026-03-04T01:30:00Z')).toEqual({
    full: '2026-03-08T01:30:00.000Z',
    differential: '2026-03-05T01:30:00.000Z',
    incremental: null,
    verification: '2026-03-04T03:30:00.000Z',
  }));
