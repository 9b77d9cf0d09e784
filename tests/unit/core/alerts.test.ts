import { decideAlerts, type AlertInput, type AlertMemory } from '../../../core/alerts';
import type { Evidence, RepositoryEvidence } from '../../../core/evidence';
import { judge } from '../../../core/freshness';
import { after } from '../../../core/time';
import { ago, archive, backupSet, evidence, limits, nothing, now } from './fixtures';

const repeatAfter = 6 * 3600;
const decide = (overrides: Partial<AlertInput> = {}, of: Evidence = evidence()) =>
  decideAlerts({
    evidence: of,
    judgement: judge(of, limits),
    limits,
    failures: [],
    fullOn: {},
    memory: {},
    repeatAfter,
    now,
    ...overrides,
  });
const failing = { failures: [{ job: 'full', failures: 3, reason: 'exit code 82' }] };
const repository = (overrides: Partial<RepositoryEvidence>) =>
  evidence({
    repositories: [
      {
        id: '1',
        location: '/r',
        offMachine: false,
        encrypted: false,
        usedBytes: 50,
        freeBytes: 50,
        ...overrides,
      },
    ],
  });

test('when all is well nothing is sent', () => expect(decide()).toEqual({ send: [], memory: {} }));

describe('what is wrong', () => {
  test('a job that fails, with how often, why and what to do', () =>
    expect(decide(failing).send).toEqual([
      {
        key: 'job-failing:full',
        kind: 'job-failing',
        cluster: 'shop',
        state: 'raised',
        since: now,
        message: 'full failed 3 times in a row: exit code 82',
        remedy: expect.stringContaining('holdfast backup shop') as string,
      },
    ]));

  test('a verification that failed once', () =>
    expect(
      decide({ failures: [{ job: 'verification', failures: 1, reason: 'no space' }] }).send,
    ).toMatchObject([
      {
        message: 'verification failed: no space',
        remedy: expect.stringContaining('holdfast verify shop') as string,
      },
    ]));

  test('each rule that isn’t fresh', () => {
    const of = evidence({
      archive: archive({ failing: 'off' }),
      backups: [backupSet({ verification: null })],
    });
    expect(decide({}, of).send.map(({ key, message }) => [key, message])).toEqual([
      [
        'not-fresh:restorable',
        'restorable is stale, so changes are blocked: WAL archiving doesn’t work: off',
      ],
      ['not-fresh:verified', expect.stringContaining('verified is missing') as string],
    ]);
  });

  test('a rule of staging, where nothing is blocked, and one without a remedy', () => {
    const of = evidence({ environment: 'staging', backups: [] });
    const judgement = judge(of, limits);
    const findings = judgement.findings.map(finding => ({ ...finding, remedy: null }));
    expect(decide({ judgement: { ...judgement, findings } }, of).send[0]).toMatchObject({
      message: 'recent is missing: there is no backup',
      remedy: 'holdfast status',
    });
  });

  test('not the absence of backups while a cluster is first provisioned', () =>
    expect(decide({}, nothing({ phase: 'provisioning' })).send).toEqual([]));

  test('a backup that is late, before the gate blocks', () => {
    const aged = (share: number) =>
      decide({}, evidence({ backups: [backupSet({ stoppedAt: ago(limits.maximumAge * share) })] })).send;
    expect(aged(0.79)).toEqual([]);
    expect(aged(0.8)).toMatchObject([
      {
        key: 'backup-late',
        message: 'no backup succeeded for 20 h 48 min; at most 26 h is allowed',
      },
    ]);
    expect(aged(1)).toMatchObject([{ key: 'backup-late' }]);
    expect(aged(1.01)).toMatchObject([{ key: 'not-fresh:recent' }]);
  });

  test.each<[string, Partial<RepositoryEvidence>, string | null, string | null]>([
    ['with room', {}, null, null],
    ['full in eight days', {}, ago(-8 * 86_400), null],
    ['full in six days', {}, ago(-6 * 86_400), 'it will be full on 2026-03-10T12:00Z'],
    ['with a tenth free', { usedBytes: 90, freeBytes: 10 }, null, null],
    ['with less free', { usedBytes: 91, freeBytes: 9 }, null, 'only 9 % are free'],
    [
      'nearly full',
      { usedBytes: 95, freeBytes: 5 },
      ago(-3600),
      'only 5 % are free, it will be full on 2026-03-04T13:00Z',
    ],
    ['without a limit', { freeBytes: null }, ago(-3600), null],
    ['empty on an empty disk', { usedBytes: 0, freeBytes: 0 }, null, null],
  ])('a repository %s', (_, overrides, full, message) =>
    expect(decide({ fullOn: { '1': full } }, repository(overrides)).send.map(alert => alert.message)).toEqual(
      message === null ? [] : [`repository 1 (/r) is filling: ${message}`],
    ),
  );

  test.each<[string, number | undefined, string[]]>([
    ['has room', 512 * 1024 * 1024, []],
    ['has little room', 512 * 1024 * 1024 - 1, ['server-disk-filling']],
    ['is full', 0, ['server-disk-filling']],
    ['can’t be looked at', undefined, []],
  ])('a server whose disk %s', (_, freeBytes, keys) => {
    const server = { state: 'running', version: '15.8', freeBytes } as const;
    expect(decide({}, evidence({ server })).send.map(({ key }) => key)).toEqual(keys);
  });
});

describe('what lasts', () => {
  const memory = decide(failing).memory;

  test('is remembered, and sent again only when it is time', () => {
    const soon = decide({ ...failing, memory, now: after(now, repeatAfter - 1) });
    expect(soon.send).toEqual([]);
    expect(soon.memory).toEqual(memory);
    const later = decide({ ...failing, memory, now: after(now, repeatAfter) });
    expect(later.send).toMatchObject([{ state: 'repeated', since: now }]);
    expect(later.memory['job-failing:full']).toMatchObject({ since: now, sentAt: after(now, repeatAfter) });
  });

  test('is told with its newest message', () => {
    const failures = [{ job: 'full', failures: 4, reason: 'exit code 56' }];
    const { send } = decide({ failures, memory, now: after(now, repeatAfter) });
    expect(send).toMatchObject([{ message: 'full failed 4 times in a row: exit code 56' }]);
  });

  test('is not silenced by a clock that was set back', () => {
    const future: AlertMemory = JSON.parse(
      JSON.stringify(memory).replaceAll(now, after(now, 365 * 86_400)),
    ) as AlertMemory;
    const { send, memory: next } = decide({ ...failing, memory: future });
    expect(send).toMatchObject([{ state: 'repeated' }]);
    expect(decide({ ...failing, memory: next }).send).toEqual([]);
  });

  test('is resolved once, when it is over', () => {
    const over = decide({ memory, now: after(now, 60) });
    expect(over.send).toMatchObject([{ key: 'job-failing:full', state: 'resolved', since: now }]);
    expect(over.memory).toEqual({});
    expect(decide({ memory: over.memory }).send).toEqual([]);
  });
});
