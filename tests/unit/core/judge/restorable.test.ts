import type { WalGap } from '../../../../core/evidence';
import { ago, archive, backupSet, judged, limits } from '../fixtures';

const gap = (from: string, to = from): WalGap => ({ timeline: 1, from, to });

test('an idle cluster, with nothing that waits to be archived, passes however long ago the last WAL was', () =>
  expect(
    judged('restorable', {
      archive: archive({ lastArchivedAt: ago(30 * 86_400), oldestUnarchivedChangeAt: null }),
    }).verdict,
  ).toBe('fresh'));

test('the oldest waiting change may be as old as the RPO, and not a second older', () => {
  const waiting = (seconds: number) =>
    judged('restorable', { archive: archive({ oldestUnarchivedChangeAt: ago(seconds) }) });
  expect(waiting(limits.rpo).verdict).toBe('fresh');
  expect(waiting(limits.rpo + 1)).toMatchObject({
    verdict: 'stale',
    message: 'the oldest change that is not archived is 5 min 1 s old; the RPO is 5 min',
  });
});

test('a waiting change of unknown age is never fresh', () =>
  expect(judged('restorable', { archive: archive({ oldestUnarchivedChangeAt: '?' }) }).verdict).toBe(
    'stale',
  ));

test('archiving that fails is stale, with the reason', () =>
  expect(
    judged('restorable', { archive: archive({ failing: 'archive_command exited with 82' }) }),
  ).toMatchObject({
    verdict: 'stale',
    message: 'WAL archiving doesn’t work: archive_command exited with 82',
  }));

test('every gap is missing WAL, and a full backup begins anew', () => {
  const finding = judged('restorable', {
    archive: archive({
      gaps: [gap('000000010000000000000003'), gap('000000010000000000000007', '000000010000000000000009')],
    }),
  });
  expect(finding.verdict).toBe('missing');
  expect(finding.message).toContain('000000010000000000000003 (timeline 1)');
  expect(finding.message).toContain('000000010000000000000007 to 000000010000000000000009 (timeline 1)');
  expect(finding.remedy).toBe('holdfast backup shop --kind full');
});

test('nothing to restore from is missing', () =>
  expect(judged('restorable', { backups: [backupSet({ unusable: 'damaged' })] }).verdict).toBe('missing'));

test('a stopped server is unknown', () =>
  expect(judged('restorable', { server: { state: 'stopped', version: null }, archive: null })).toMatchObject({
    verdict: 'unknown',
    message: expect.stringContaining('the server is stopped') as string,
    remedy: 'start shop, then holdfast status',
  }));

test('a running server of whose archiving nothing is known is unknown', () =>
  expect(judged('restorable', { archive: null })).toMatchObject({ verdict: 'unknown' }));

test('the worst of several troubles is the verdict, and all are told', () => {
  const finding = judged('restorable', {
    backups: [],
    archive: archive({ failing: 'no space', oldestUnarchivedChangeAt: ago(999) }),
  });
  expect(finding.verdict).toBe('missing');
  expect(finding.message.split('; ')).toEqual([
    'there is no backup',
    'WAL archiving doesn’t work: no space',
    'the oldest change that is not archived is 16 min 39 s old',
    'the RPO is 5 min',
  ]);
});
