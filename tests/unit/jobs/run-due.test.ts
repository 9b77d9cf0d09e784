import { HoldfastError } from '../../../core/errors';
import { recallDue, rememberDue, type DueMemory } from '../../../jobs/due-memory';
import { runDue } from '../../../jobs/run-due';
import { backupSet, fakeCluster, hoursAgo, now, passed, quietWatch, soundEvidence } from './fake-engine';

/** The schedules are the defaults; `now` is Thursday, 12:00. */
const memory: DueMemory = { schema: 1, since: hoursAgo(1000), failures: {}, alerts: {}, usage: {} };

describe('a run', () => {
  test('settles, drops what expired, runs the one job and tells of nothing wrong', async () => {
    const cluster = fakeCluster();
    const { engine } = cluster;
    engine.current = soundEvidence({ backups: [], phase: 'provisioning', restorable: null });
    engine.interrupted = true;
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

  test('with nothing to settle leaves the lock of restores alone', async () => {
    const cluster = fakeCluster();
    await runDue(cluster, quietWatch());
    expect(cluster.engine.calls).toContain('lock schedule');
    expect(cluster.engine.calls).not.toContain('lock restore');
  });

  test('another job at work is no failure', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [] });
    cluster.engine.locked = 'backup';
    expect(await runDue(cluster, quietWatch())).toMatchObject({ job: 'full', outcome: 'busy' });
    expect((await recallDue(cluster.engine.memory, now)).failures).toEqual({});
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
    const { alerts } = await recallDue(cluster.engine.memory, now);
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
    const remembered = await recallDue(cluster.engine.memory, now);
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
      cluster.engine.memory.onCall = each => {
        if (each.endsWith('due')) throw new Error('no way to it');
      };
      throw new HoldfastError('engine-failed', 'the disk is full');
    };
    const watch = quietWatch();
    await expect(runDue(cluster, watch)).rejects.toThrow('the disk is full');
    expect(watch.steps.join('\n')).toMatch(
      /can’t be read: no way to it[^]*alert \(raised\): full failed[^]*can’t be remembered: no way/,
    );
  });

  test('what can’t be tidied up holds no backup up, and silences no alert', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({
      backups: [],
      problems: [{ what: 'a restore was interrupted', remedy: 'finish it' }],
    });
    cluster.engine.interrupted = true;
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
    expect((await recallDue(cluster.engine.memory, now)).failures.full).toMatchObject({ count: 1 });
  });

  test('an interruption is not counted as a failure', async () => {
    const cluster = fakeCluster();
    cluster.engine.current = soundEvidence({ backups: [] });
    const watch = quietWatch();
    cluster.engine.onCall = call => {
      if (call === 'backup full') watch.abort(new Error('interrupted'));
    };
    await expect(runDue(cluster, watch)).rejects.toThrow('interrupted');
    expect((await recallDue(cluster.engine.memory, now)).failures).toEqual({});
  });

  test('an alert that reached nobody is sent again by the next run', async () => {
    const cluster = fakeCluster([{}, { command: ['false'] }]);
    cluster.engine.current = soundEvidence({ backups: [backupSet(30, { verification: passed(20) })] });
    cluster.engine.onCall = call => {
      if (call.startsWith('backup')) throw new HoldfastError('engine-failed', 'the disk is full');
    };
    await expect(runDue(cluster, quietWatch())).rejects.toThrow();
    expect((await recallDue(cluster.engine.memory, now)).alerts).toEqual({});
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
    await rememberDue(cluster.engine.memory, { ...memory, alerts: { 'not-fresh:recent': known } });
    await expect(runDue(cluster, quietWatch())).rejects.toThrow('the disk is full');
    const { alerts } = await recallDue(cluster.engine.memory, now);
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
      await rememberDue(cluster.engine.memory, {
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
    cluster.engine.interrupted = true;
    cluster.engine.onCall = call => {
      if (call === 'lock restore') throw new HoldfastError('engine-failed', 'no space left on the disk');
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
