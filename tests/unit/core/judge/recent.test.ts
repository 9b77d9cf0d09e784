import { ago, backupSet, evidence, findingOf, judged, limits } from '../fixtures';
import { judge } from '../../../../core/freshness';

const aged = (seconds: number) => judged('recent', { backups: [backupSet({ stoppedAt: ago(seconds) })] });

test('a backup may be as old as the limit, and not a second older', () => {
  expect(aged(limits.maximumAge)).toMatchObject({ verdict: 'fresh', remedy: null });
  expect(aged(limits.maximumAge + 1)).toMatchObject({ verdict: 'stale' });
});

test('names the backup, its age, the limit and the command', () =>
  expect(aged(30 * 3600)).toEqual({
    rule: 'recent',
    verdict: 'stale',
    message: 'the newest usable backup (20260304-013000F, full) is 30 h old; at most 26 h is allowed',
    remedy: 'holdfast backup shop',
  }));

test('no backup is missing', () =>
  expect(judged('recent', { backups: [] })).toMatchObject({
    verdict: 'missing',
    message: 'there is no backup',
    remedy: 'holdfast backup shop --kind full',
  }));

test('only unusable backups are missing too, with the reason', () =>
  expect(judged('recent', { backups: [backupSet({ unusable: 'its WAL is gone' })] })).toMatchObject({
    verdict: 'missing',
    message: 'no backup set is usable; 20260304-013000F: its WAL is gone',
  }));

test('an age that can’t be known is never fresh', () => {
  expect(judged('recent', { backups: [backupSet({ stoppedAt: 'soon' })] })).toMatchObject({
    verdict: 'stale',
    message: expect.stringContaining('of unknown age') as string,
  });
  expect(judged('recent', { observedAt: '' }).verdict).toBe('stale');
  expect(findingOf(judge(evidence(), { ...limits, maximumAge: NaN }), 'recent').verdict).toBe('stale');
});

test('a backup that is a little ahead of the clock is new', () =>
  expect(aged(-120).message).toMatch(/is 0 s old/));
