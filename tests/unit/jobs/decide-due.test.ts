import { judge } from '../../../core/freshness';
import { decideDue, type DueDecision } from '../../../jobs/decide-due';
import type { DueMemory } from '../../../jobs/due-memory';
import { backupSet, hoursAgo, now, passed, soundEvidence, specification } from './fake-engine';

/** Daily at 1:30 UTC (full on Sundays), verification at 3:30; `now` is Thursday, 12:00. */
const { backups } = specification().settings;
const memory: DueMemory = { schema: 1, since: hoursAgo(1000), failures: {}, alerts: {}, usage: {} };

function decide(evidence = soundEvidence(), remembered = memory): DueDecision {
  return decideDue(evidence, judge(evidence, backups), backups.schedules, remembered);
}

describe('what is due', () => {
  const lastNight = backupSet(10, { kind: 'differential', verification: passed(8.4) });
  const sunday = backupSet(106, { verification: passed(104) });

  test('nothing, when every scheduled time was met', () => {
    expect(decide(soundEvidence({ backups: [sunday, lastNight] }))).toEqual({
      action: 'wait',
      reason: 'nothing is due',
    });
  });

  test('a first full backup, where there is none', () => {
    expect(decide(soundEvidence({ backups: [] }))).toMatchObject({ action: 'run', job: 'full' });
  });

  test('a full backup, where none of the sets is usable', () => {
    expect(
      decide(soundEvidence({ backups: [backupSet(1, { unusable: 'files are missing' })] })),
    ).toMatchObject({
      job: 'full',
    });
  });

  test('a first verification, as soon as there is a backup', () => {
    expect(decide(soundEvidence({ backups: [sunday, { ...lastNight, verification: null }] }))).toMatchObject({
      job: 'verification',
    });
  });

  test('a full backup after a gap in the WAL', () => {
    const archive = {
      ...soundEvidence().archive!,
      gaps: [{ timeline: 1, from: '000000010000000000000003', to: '000000010000000000000003' }],
    };
    expect(decide(soundEvidence({ backups: [sunday, lastNight], archive }))).toMatchObject({ job: 'full' });
  });

  test('a missed backup, once for all that were missed', () => {
    expect(decide(soundEvidence({ backups: [sunday] }))).toMatchObject({
      action: 'run',
      job: 'differential',
    });
  });

  test('what was missed, also when the memory was lost', () => {
    const evidence = soundEvidence({ backups: [sunday] });
    expect(decide(evidence, { ...memory, since: now })).toMatchObject({ job: 'differential' });
  });

  test.each<[string, ReturnType<typeof soundEvidence>]>([
    ['stopped', soundEvidence({ server: { state: 'stopped', version: null }, archive: null, backups: [] })],
    ['not provisioned', soundEvidence({ phase: 'none' })],
    [
      'another one',
      soundEvidence({
        identity: { recorded: '7300000000000000001', found: '2', backedUp: null },
        backups: [],
      }),
    ],
  ])('nothing, while the cluster is %s', (_, evidence) => {
    expect(decide(evidence).action).toBe('wait');
  });

  test('what failed waits longer each time', () => {
    const failing = (minutes: number, count: number): DueMemory => ({
      ...memory,
      failures: { full: { count, at: hoursAgo(minutes / 60), reason: 'disk full' } },
    });
    const evidence = soundEvidence({ backups: [] });
    expect(decide(evidence, failing(4, 1)).action).toBe('wait');
    expect(decide(evidence, failing(6, 1)).action).toBe('run');
    expect(decide(evidence, failing(6, 2)).reason).toContain('failed 2 times; next attempt');
  });
});
