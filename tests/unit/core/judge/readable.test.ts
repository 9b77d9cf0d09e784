import type { Evidence } from '../../../../core/evidence';
import { after } from '../../../../core/time';
import { archive, backupSet, judged, now, passed } from '../fixtures';

const future = after(now, 301);
const nearFuture = after(now, 299);

test('problems are told with their remedies', () =>
  expect(
    judged('readable', {
      problems: [
        { what: 'the repository can’t be read', remedy: 'mount it' },
        { what: 'pgbackrest printed no JSON', remedy: 'mount it' },
      ],
    }),
  ).toEqual({
    rule: 'readable',
    verdict: 'unknown',
    message: 'the repository can’t be read; pgbackrest printed no JSON',
    remedy: 'mount it',
  }));

const moments = (at: string): [string, Partial<Evidence>][] => [
  ['begin of a backup', { backups: [backupSet({ startedAt: at })] }],
  ['end of a backup', { backups: [backupSet({ stoppedAt: at })] }],
  ['verification', { backups: [backupSet({ verification: passed({ at }) })] }],
  ['last archived WAL', { archive: archive({ lastArchivedAt: at }) }],
  ['last archiving failure', { archive: archive({ lastFailedAt: at }) }],
  ['oldest waiting change', { archive: archive({ oldestUnarchivedChangeAt: at }) }],
  ['begin of what is restorable', { restorable: { from: at, until: now } }],
  ['end of what is restorable', { restorable: { from: now, until: at } }],
];

test.each(moments(future))('a time ahead of the clock is unknown: %s', (_, overrides) => {
  const finding = judged('readable', overrides);
  expect(finding).toMatchObject({ verdict: 'unknown', remedy: expect.stringContaining('clock') as string });
  expect(finding.message).toContain(future);
  expect(finding.message).toContain(now);
});

test.each(moments(nearFuture))('clocks may differ by five minutes: %s', (_, overrides) =>
  expect(judged('readable', overrides).verdict).toBe('fresh'),
);

test.each(moments('yesterday'))('a time that can’t be read is unknown: %s', (_, overrides) =>
  expect(judged('readable', overrides)).toMatchObject({
    verdict: 'unknown',
    message: expect.stringMatching(/can’t be read: yesterday/) as string,
  }),
);

test('without the server’s time nothing can be judged', () =>
  expect(judged('readable', { observedAt: '' })).toMatchObject({
    verdict: 'unknown',
    message: 'the server’s time can’t be read: ',
  }));

test('what is not there has no time that could be wrong', () =>
  expect(judged('readable', { archive: null, restorable: null, backups: [] }).verdict).toBe('fresh'));
