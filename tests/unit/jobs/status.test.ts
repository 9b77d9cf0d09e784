import { isWell, reportOn } from '../../../jobs/status';
import { rememberDue } from '../../../jobs/due-memory';
import { rememberBreakGlass } from '../../../jobs/pending-break-glass';
import { backupSet, fakeCluster, hoursAgo, now, soundEvidence } from './fake-engine';

describe('the report on a cluster', () => {
  test('has its judgement, its schedules and what else is known of it', async () => {
    const cluster = fakeCluster();
    const filling = [2, 1, 0].map(days => ({
      at: hoursAgo(days * 24),
      usedBytes: (3 - days) * 1_000_000_000,
    }));
    await rememberDue(cluster.engine.memory, {
      schema: 1,
      since: hoursAgo(1000),
      failures: { full: { count: 2, at: hoursAgo(1), reason: 'disk full' } },
      alerts: {},
      usage: { '1': filling },
    });
    await rememberBreakGlass(cluster.engine.memory, {
      reason: 'repository host lost, ticket OPS-99',
      approver: 'ada@example.com',
      issued: '2026-01-15T11:00:00Z',
      expires: '2026-01-15T18:00:00Z',
    });
    expect(await reportOn(cluster)).toMatchObject({
      cluster: 'shop',
      environment: 'production',
      judgement: { verdict: 'fresh' },
      schedules: [
        { job: 'full', failing: 'disk full', next: '2026-01-18T01:30:00.000Z' },
        { job: 'differential', failing: null },
        { job: 'incremental' },
        { job: 'verification' },
      ],
      fullOn: { '1': expect.stringMatching(/^2026-01-2/) as string },
      drift: [],
      restorePoints: [],
      clones: [],
      breakGlass: expect.stringContaining('OPS-99') as string,
    });
  });

  test('is there all the same when something of it can’t be told', async () => {
    const cluster = fakeCluster();
    const fails = () => Promise.reject(new Error('its disk is gone'));
    Object.assign(cluster.engine, { drift: fails, restorePoints: fails, clones: fails });
    expect(await reportOn(cluster)).toMatchObject({
      drift: ["it can't be told: its disk is gone"],
      restorePoints: [],
      clones: [],
      breakGlass: null,
      fullOn: { '1': null },
    });
  });
});

describe('a cluster is well', () => {
  const wellWith = async (
    environment: 'production' | 'staging',
    changes: Parameters<typeof soundEvidence>[0],
  ) => {
    const cluster = fakeCluster([{}, {}, environment]);
    cluster.engine.current = soundEvidence({ environment, ...changes });
    return isWell(await reportOn(cluster));
  };
  const old = { backups: [backupSet(100)] };
  const stopped = { server: { state: 'stopped', version: null }, archive: null } as const;
  const troubled = { problems: [{ what: 'its disk is gone', remedy: 'mount it' }] };

  test.each([
    ['in production when its backups are fresh', 'production', {}, true],
    ['in production not when they are old', 'production', old, false],
    ['in staging when it answers, whatever its backups are', 'staging', old, true],
    ['in staging not when it is stopped', 'staging', stopped, false],
    ['in staging not when something of it can’t be read', 'staging', troubled, false],
  ] as const)('%s', async (_, environment, changes, well) => {
    expect(await wellWith(environment, { ...changes, observedAt: now })).toBe(well);
  });
});
