import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { judge } from '../../../core/freshness';
import { decideDue, type DueDecision } from '../../../jobs/decide-due';
import {
  forecast,
  recallDue,
  rememberDue,
  withOutcome,
  withUsage,
  type DueMemory,
} from '../../../jobs/due-memory';
import { runDue } from '../../../jobs/run-due';
import { removeTempDirs } from '../../support/temp';
import {
  backupSet,
  fakeCluster,
  hoursAgo,
  now,
  passed,
  quietWatch,
  soundEvidence,
  specification,
} from './fake-engine';

afterAll(removeTempDirs);

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

describe('what is remembered', () => {
  test('begins anew where there is nothing, or nothing that can be understood', async () => {
    const { directory } = fakeCluster();
    const fresh = { schema: 1, since: now, failures: {}, alerts: {}, usage: {} };
    expect(await recallDue(directory, now)).toEqual(fresh);
    for (const content of ['{"schema":', '{"schema":2}', 'null']) {
      fs.writeFileSync(path.join(directory, 'due.json'), content);
      expect(await recallDue(directory, now)).toEqual(fresh);
    }
    await rememberDue(directory, memory);
    expect(await recallDue(directory, now)).toEqual(memory);
    expect(fs.readdirSync(directory)).toEqual(['due.json']);
  });

  test('that can’t be read is not taken for nothing: what failed would begin anew', async () => {
    const { directory } = fakeCluster();
    fs.mkdirSync(path.join(directory, 'due.json'));
    await expect(recallDue(directory, now)).rejects.toMatchObject({ code: 'EISDIR' });
  });

  test('tells when a repository will be full, and nothing of one that was never observed', () => {
    const filling = [2, 1, 0].map(days => ({
      at: hoursAgo(days * 24),
      usedBytes: (3 - days) * 1_000_000_000,
    }));
    const evidence = soundEvidence();
    expect(forecast(memory, evidence)).toEqual({ '1': null });
    expect(forecast({ ...memory, usage: { '1': filling } }, evidence)).toEqual({
      '1': expect.stringMatching(/^2026-01-2/) as string,
    });
  });

  test('counts failures in a row, and forgets them with a success', () => {
    const failure = { at: now, reason: 'disk full' };
    const twice = withOutcome(withOutcome(memory, 'full', failure), 'full', failure);
    expect(twice.failures.full).toEqual({ ...failure, count: 2 });
    expect(withOutcome(twice, 'full', null).failures).toEqual({});
  });

  test('keeps one observation of a repository an hour, at most 200', () => {
    let remembered = memory;
    for (let hours = 300; hours >= 0; hours -= 0.5)
      remembered = withUsage(remembered, soundEvidence({ observedAt: hoursAgo(hours) }));
    expect(remembered.usage['1']).toHaveLength(200);
    expect(remembered.usage['1']?.at(-1)).toEqual({ at: now, usedBytes: 1_000_000 });
  });
});

describe('a run', () => {
  test('settles, drops what expired, runs the one job and tells of nothing wrong', async () => {
    const cluster = fakeCluster();
    const { engine } = cluster;
    engine.current = soundEvidence({ backups: [], phase: 'provisioning', restorable: null });
    engine.settled = ['finished an interrupted swap'];
    const make = (id: string, expiresAt: string) => ({
      id,
      expiresAt,
      purpose: 'clone' as const,
      createdAt: now,
      state: 'running' as const,
      sizeBytes: 1,
      connect: [],
      measured: null,
    });
    engine.made = [make('old', '2020-01-01T00:00:00Z'), make('young', '2999-01-01T00:00:00Z')];
    const watch = quietWatch();
    const report = await runDue(cluster, watch);
    expect(report).toMatchObject({ job: 'full', outcome: 'succeeded', alerts: [] });
    expect(engine.made.map(({ id }) => id)).toEqual(['young']);
    expect(watch.steps).toContain('finished an interrupted swap');
    // The next run makes the first verification, which ends the first provision.
    expect(await runDue(cluster, watch)).toMatchObject({ job: 'verification', outcome: 'succeeded' });
    expect(engine.current.phase).toBe('established');
  });

  test('another job at work is no failure', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [] });
    cluster.engine.locked = 'backup';
    expect(await runDue(cluster, quietWatch())).toMatchObject({ job: 'full', outcome: 'busy' });
    expect((await recallDue(cluster.directory, now)).failures).toEqual({});
  });

  test('another run of the schedule is no failure', async () => {
    const cluster = fakeCluster();
    cluster.engine.onCall = call => {
      if (call === 'lock schedule') throw new HoldfastError('busy', 'the schedule is locked');
    };
    expect(await runDue(cluster, quietWatch())).toMatchObject({ job: null, outcome: 'busy', alerts: [] });
  });

  test('that hangs silences no alert: the next one sends it, once', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [backupSet(30, { verification: passed(20) })] });
    const during: unknown[] = [];
    let hangs = false;
    cluster.engine.onCall = async call => {
      if (hangs && call === 'lock schedule') throw new HoldfastError('busy', 'the schedule is locked');
      if (!call.startsWith('backup')) return;
      hangs = true;
      during.push(await runDue(cluster, quietWatch()), await runDue(cluster, quietWatch()));
      throw new HoldfastError('engine-failed', 'it was stopped');
    };
    await expect(runDue(cluster, quietWatch())).rejects.toThrow('it was stopped');
    expect(during).toMatchObject([
      { outcome: 'busy', alerts: ['not-fresh:recent'] },
      { outcome: 'busy', alerts: [] },
    ]);
    const { alerts } = await recallDue(cluster.directory, now);
    expect(Object.keys(alerts)).toEqual(['job-failing:differential', 'not-fresh:recent']);
  });

  test('a failure is remembered, alerted of, and thrown', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [] });
    cluster.engine.onCall = call => {
      if (call === 'backup full') throw new HoldfastError('engine-failed', 'the disk is full');
    };
    const watch = quietWatch();
    await expect(runDue(cluster, watch)).rejects.toThrow('the disk is full');
    const remembered = await recallDue(cluster.directory, now);
    expect(remembered.failures.full).toMatchObject({ count: 1, reason: 'the disk is full' });
    expect(Object.keys(remembered.alerts)).toContain('job-failing:full');
    expect(watch.steps).toContainEqual(
      expect.stringMatching(/^alert \(raised\): full failed: the disk is full/),
    );
  });

  test('what can’t be remembered keeps neither an alert from being sent nor the failure from being told', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [] });
    cluster.engine.onCall = call => {
      if (call !== 'backup full') return;
      // In its place, nothing can be written.
      fs.mkdirSync(path.join(cluster.directory, 'due.json'));
      throw new HoldfastError('engine-failed', 'the disk is full');
    };
    const watch = quietWatch();
    await expect(runDue(cluster, watch)).rejects.toThrow('the disk is full');
    expect(watch.steps.join('\n')).toMatch(/alert \(raised\): full failed[^]*can’t be remembered: .*EISDIR/);
  });

  test('what can’t be tidied up holds no backup up, and silences no alert', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({
      backups: [],
      problems: [{ what: 'a restore was interrupted', remedy: 'finish it' }],
    });
    cluster.engine.onCall = call => {
      if (call === 'settle') throw new HoldfastError('engine-failed', 'its WAL isn’t archived');
    };
    const watch = quietWatch();
    const report = await runDue(cluster, watch);
    expect(report).toMatchObject({ job: 'full', outcome: 'succeeded' });
    expect(report.alerts).toContain('not-fresh:readable');
    expect(watch.steps).toContain('tidying up failed: its WAL isn’t archived');
  });

  test('a backup after which the WAL still has a gap isn’t taken again at once', async () => {
    const cluster = fakeCluster();
    const archive = {
      ...soundEvidence().archive!,
      gaps: [{ timeline: 1, from: '000000010000000000000003', to: '000000010000000000000003' }],
    };
    cluster.engine.current = soundEvidence({ archive });
    expect(await runDue(cluster, quietWatch())).toMatchObject({ job: 'full', outcome: 'succeeded' });
    expect(await runDue(cluster, quietWatch())).toMatchObject({ job: null });
    expect((await recallDue(cluster.directory, now)).failures.full).toMatchObject({ count: 1 });
  });

  test('an interruption is not counted as a failure', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [] });
    const watch = quietWatch();
    cluster.engine.onCall = call => {
      if (call === 'backup full') watch.abort(new Error('interrupted'));
    };
    await expect(runDue(cluster, watch)).rejects.toThrow('interrupted');
    expect((await recallDue(cluster.directory, now)).failures).toEqual({});
  });

  test('an alert that reached nobody is sent again by the next run', async () => {
    const cluster = fakeCluster([{}, { command: ['false'] }]);
    cluster.engine.current = soundEvidence({ backups: [backupSet(30, { verification: passed(20) })] });
    cluster.engine.onCall = call => {
      if (call.startsWith('backup')) throw new HoldfastError('engine-failed', 'the disk is full');
    };
    await expect(runDue(cluster, quietWatch())).rejects.toThrow();
    expect((await recallDue(cluster.directory, now)).alerts).toEqual({});
  });

  test('an alert that is due again and reaches nobody keeps its time, so that the next run sends it again', async () => {
    const cluster = fakeCluster([{}, { command: ['false'] }]);
    cluster.engine.current = soundEvidence({ backups: [backupSet(30, { verification: passed(20) })] });
    cluster.engine.onCall = call => {
      if (call.startsWith('backup')) throw new HoldfastError('engine-failed', 'the disk is full');
    };
    const condition = {
      key: 'not-fresh:recent',
      kind: 'not-fresh' as const,
      message: 'too old',
      remedy: 'back up',
    };
    const known = { condition, since: hoursAgo(20), sentAt: hoursAgo(12) };
    await rememberDue(cluster.directory, { ...memory, alerts: { 'not-fresh:recent': known } });
    await expect(runDue(cluster, quietWatch())).rejects.toThrow('the disk is full');
    const { alerts } = await recallDue(cluster.directory, now);
    expect(alerts['not-fresh:recent']).toEqual(known);
  });

  test('beats when all is well, and is silent when something is not', async () => {
    const fetching = jest
      .spyOn(globalThis, 'fetch')
      .mockImplementation(() => Promise.resolve(new Response()));
    try {
      const cluster = fakeCluster([{}, { heartbeat: 'https://beat.example.com/abc' }]);
      const lastNight = backupSet(10, { kind: 'differential', verification: passed(8.4) });
      cluster.engine.current = soundEvidence({
        backups: [backupSet(106, { verification: passed(104) }), lastNight],
      });
      await runDue(cluster, quietWatch());
      expect(fetching).toHaveBeenCalledTimes(1);
      await rememberDue(cluster.directory, {
        ...memory,
        failures: { full: { count: 1, at: hoursAgo(0.01), reason: 'disk full' } },
      });
      await runDue(cluster, quietWatch());
      expect(fetching).toHaveBeenCalledTimes(1);
    } finally {
      fetching.mockRestore();
    }
  });

  test('what can’t be dropped is logged; what is at work is left alone', async () => {
    const cluster = fakeCluster();
    const clone = {
      expiresAt: '2020-01-01T00:00:00Z',
      createdAt: now,
      state: 'running' as const,
      sizeBytes: 1,
      connect: [],
      measured: null,
    };
    cluster.engine.made = [
      { ...clone, id: 'checked', purpose: 'verification' },
      { ...clone, id: 'growing', purpose: 'clone', state: 'incomplete' },
      { ...clone, id: 'stuck', purpose: 'clone' },
    ];
    cluster.engine.onCall = call => {
      if (call === 'dropClone growing') throw new HoldfastError('busy', 'it is being made');
      if (call === 'dropClone stuck') throw new HoldfastError('engine-failed', 'its directory is read-only');
    };
    const watch = quietWatch();
    await runDue(cluster, watch);
    expect(watch.steps).toContain('tidying up failed: its directory is read-only');
    expect(cluster.engine.made.map(({ id }) => id)).toEqual(['growing', 'stuck']);
  });

  test('a lock that can’t be taken for another reason than being held is a failure', async () => {
    const cluster = fakeCluster();
    cluster.engine.onCall = call => {
      if (call === 'lock schedule') throw new HoldfastError('engine-failed', 'no space left on the disk');
    };
    await expect(runDue(cluster, quietWatch())).rejects.toThrow('no space left');
    const watch = quietWatch();
    cluster.engine.onCall = call => {
      if (call === 'lock verification') throw new HoldfastError('engine-failed', 'no space left on the disk');
    };
    await runDue(cluster, watch);
    expect(watch.steps).toContain('tidying up failed: no space left on the disk');
  });

  test('a stopped cluster is reported and not started', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ server: { state: 'stopped', version: null }, archive: null });
    const report = await runDue(cluster, quietWatch());
    expect(report).toMatchObject({ job: null, outcome: 'nothing', alerts: ['not-fresh:restorable'] });
    expect(report.reason).toContain('stopped');
    expect(cluster.engine.calls).not.toContain('resume');
  });
});
