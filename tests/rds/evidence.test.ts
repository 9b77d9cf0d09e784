import {
  DeleteDBInstanceCommand,
  DeleteDBSnapshotCommand,
  ModifyDBInstanceCommand,
  StopDBInstanceCommand,
} from '@aws-sdk/client-rds';
import type { Evidence } from '../../core/evidence';
import { HoldfastError } from '../../core/errors';
import { judge } from '../../core/freshness';
import { problemOf } from '../../engines/rds/failure';
import { evidence } from '../../engines/rds/evidence';
import { openClients } from '../../engines/rds/clients';
import { createParameter, writeParameter } from '../../engines/rds/parameters';
import { beginRecord, readRecord, updateRecord } from '../../engines/rds/record';
import { writeJournal } from '../../engines/rds/replace/journal';
import { region, startAws, type TestAws } from '../support/moto/moto';
import { removeTempDirs } from '../support/temp';
import { contextOf, createInstance, createSnapshot, establish, snapshotsOf, withElement } from './support';

let aws: TestAws;
beforeAll(async () => {
  aws = await startAws();
});
beforeEach(() => aws.reset());
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

const limits = { maximumAge: 93_600, verificationMaximumAge: 604_800, rpo: 600, rto: 3600 };
const verified = {
  'holdfast:cluster': 'shop',
  'holdfast:verification': 'passed',
  'holdfast:restore-seconds': '1200',
};
const passedNow = () => ({ ...verified, 'holdfast:verified-at': new Date().toISOString() });
const findings = (found: Evidence) =>
  Object.fromEntries(judge(found, limits).findings.map(({ rule, verdict }) => [rule, verdict]));

test('an instance with a verified snapshot and point-in-time recovery is fresh', async () => {
  const context = contextOf();
  const { DbiResourceId: id } = await establish(context);
  await createSnapshot(context, 'one', { ...passedNow(), 'holdfast:change': 'deploy =C3=A4 7' });
  const found = await evidence(context);
  expect(found).toMatchObject({
    environment: 'production',
    engine: 'rds',
    phase: 'established',
    identity: { recorded: id, found: id, backedUp: id },
    server: { state: 'running', version: '16.4' },
    repositories: [{ offMachine: true, encrypted: true, freeBytes: null }],
    problems: [],
  });
  expect(found.backups.at(-1)).toMatchObject({
    id: 'one',
    kind: 'full',
    unusable: null,
    changeId: 'deploy ä 7',
    verification: { result: 'passed', restoreSeconds: 1200, reason: null },
  });
  expect(judge(found, limits).verdict).toBe('fresh');
});

test('a hundred snapshots cost four calls, and three hundred two more for their pages', async () => {
  const context = contextOf();
  await establish(context);
  // With the automated one there are as many as are said here.
  const upTo = async (from: number, count: number) => {
    for (let first = from; first < count; first += 25)
      await Promise.all(
        Array.from({ length: Math.min(25, count - first) }, (_, i) =>
          createSnapshot(context, `s-${first + i}`),
        ),
      );
  };
  await upTo(1, 100);
  aws.calls.length = 0;
  expect((await evidence(context)).backups).toHaveLength(100);
  expect(aws.calls.map(({ action }) => action).sort()).toEqual([
    'DescribeDBInstanceAutomatedBackups',
    'DescribeDBInstances',
    'DescribeDBSnapshots',
    'GetParameters',
  ]);
  await upTo(100, 300);
  aws.calls.length = 0;
  const found = await evidence(context);
  expect(new Set(found.backups.map(({ id }) => id)).size).toBe(300);
  expect(aws.calls).toHaveLength(6);
});

describe('what can’t be read', () => {
  const refusals = [
    ['AccessDenied', 'GetParameters', 'AWS denies it', 'IAM policy', 1],
    ['AccessDenied', 'DescribeDBInstances', 'AWS denies it', 'IAM policy', 1],
    ['AccessDenied', 'DescribeDBSnapshots', 'AWS denies it', 'IAM policy', 1],
    ['AccessDenied', 'DescribeDBInstanceAutomatedBackups', 'AWS denies it', 'IAM policy', 1],
    ['ExpiredToken', 'DescribeDBInstances', 'credentials are missing, wrong or expired', 'Log in', 1],
    ['ExpiredTokenException', 'GetParameters', 'credentials are missing, wrong or expired', 'Log in', 1],
    ['ThrottlingException', 'GetParameters', 'AWS throttles', 'Try again', 2],
    ['Throttling', 'DescribeDBSnapshots', 'AWS throttles', 'Try again', 2],
    ['SomethingElse', 'DescribeDBInstances', 'said the proxy', 'console', 1],
  ] as const;
  test.each(refusals)(
    '%s for %s is unknown, and all else is still read',
    async (error, action, said, remedy, attempts) => {
      const context = contextOf();
      await establish(context);
      await createSnapshot(context, 'one', passedNow());
      aws.heal();
      aws.refuse(new RegExp(`^${action}$`), error);
      const found = await evidence(context);
      expect(found.problems).toHaveLength(1);
      expect(found.problems[0]!.what).toContain(said);
      expect(found.problems[0]!.remedy).toContain(remedy);
      expect(judge(found, limits)).toMatchObject({ verdict: 'unknown', letsThrough: null });
      expect(aws.calls.filter(call => call.action === action)).toHaveLength(attempts);
      expect(found.backups).toHaveLength(action === 'DescribeDBSnapshots' ? 0 : 2);
    },
  );

  test('throttling that ends is nobody’s business', async () => {
    const context = contextOf();
    await establish(context);
    aws.refuse(/^Describe/, 'ThrottlingException', { times: 1 });
    expect((await evidence(context)).problems).toEqual([]);
  });

  test('no answer at all is unknown', async () => {
    const context = contextOf();
    await establish(context);
    aws.hang(/^DescribeDBSnapshots$/);
    const found = await evidence({
      ...context,
      ...openClients(region, context.clock, { attempts: 1, answerSeconds: 0.2 }),
    });
    expect(found.problems[0]!.what).toContain('AWS does not answer');
  });

  test('a network without AWS is unknown, and this machine’s clock is all there is', async () => {
    const endpoint = process.env.AWS_ENDPOINT_URL;
    process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:9';
    try {
      const found = await evidence(contextOf());
      expect(found.problems).toHaveLength(4);
      expect(found.problems[0]!.what).toContain('AWS does not answer');
      expect(Date.parse(found.observedAt)).toBeGreaterThan(Date.now() - 60_000);
      expect(judge(found, limits)).toMatchObject({ verdict: 'unknown', letsThrough: null });
    } finally {
      process.env.AWS_ENDPOINT_URL = endpoint;
    }
  });

  test.each(['{', '{"schema":1}'])('a record that is %s is unknown, never new', async text => {
    const context = contextOf();
    await createParameter(context, 'record', text);
    const found = await evidence(context);
    expect(found.problems[0]!.what).toContain('can’t be understood');
    expect(judge(found, limits).letsThrough).toBeNull();
  });

  test('the record of another cluster’s instance is unknown', async () => {
    await beginRecord(contextOf({ instance: 'other-db' }), 'provisioning');
    const found = await evidence(contextOf());
    expect(found.problems[0]!.what).toContain('is of cluster shop on instance other-db');
  });
});

describe('which instance it is', () => {
  test('nothing at all is a first provision', async () => {
    const found = await evidence(contextOf());
    expect(found).toMatchObject({ phase: 'none', identity: { recorded: null, found: null, backedUp: null } });
    expect(found.repositories).toEqual([]);
    expect(judge(found, limits).letsThrough).toBe('first-provision');
  });

  test('an instance that nothing is recorded of blocks', async () => {
    const context = contextOf();
    await createInstance(context);
    expect(findings(await evidence(context)).identity).toBe('unknown');
  });

  test('one that is declared to exist is about to be adopted', async () => {
    const context = contextOf({ source: { mode: 'existing' } });
    await createInstance(context);
    const found = await evidence(context);
    expect(found.phase).toBe('adopting');
    expect(judge(found, limits).letsThrough).toBe('adoption');
  });

  test('one that exists and has snapshots of Holdfast’s has lost its record, and blocks', async () => {
    const context = contextOf({ source: { mode: 'existing' } });
    await createInstance(context);
    await createSnapshot(context, 'one', { 'holdfast:cluster': 'shop' });
    const found = await evidence(context);
    expect(found.phase).toBe('none');
    expect(judge(found, limits).letsThrough).toBeNull();
  });

  test('one that was deleted blocks', async () => {
    const context = contextOf();
    await establish(context, { DeletionProtection: false });
    await createSnapshot(context, 'one', passedNow());
    await context.rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', SkipFinalSnapshot: true }),
    );
    const found = await evidence(context);
    expect(found.identity.found).toBeNull();
    expect(found.server).toEqual({ state: 'stopped', version: null });
    expect(found.backups.map(({ id }) => id)).toEqual(['one']);
    expect(found.repositories[0]!.encrypted).toBe(true);
    expect(findings(found).identity).toBe('unknown');
  });

  test('one that was made anew under the same name is another one', async () => {
    const context = contextOf();
    const { DbiResourceId: first } = await establish(context, { DeletionProtection: false });
    await context.rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', SkipFinalSnapshot: true }),
    );
    const { DbiResourceId: second } = await createInstance(context);
    const found = await evidence(context);
    expect(found.identity).toMatchObject({ recorded: first, found: second });
    expect(findings(found).identity).toBe('unknown');
  });

  test('after a restore of ours the snapshots of the one before are still the cluster’s', async () => {
    const context = contextOf();
    const { DbiResourceId: first } = await establish(context, { DeletionProtection: false });
    await createSnapshot(context, 'one', passedNow());
    await context.rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', SkipFinalSnapshot: true }),
    );
    const { DbiResourceId: second } = await createInstance(context, { BackupRetentionPeriod: 0 });
    await updateRecord(context, { identity: second!, lineage: [first!] });
    for (const { DBSnapshotIdentifier: id } of await snapshotsOf(context))
      if (id !== 'one') await context.rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: id }));
    const found = await evidence(context);
    expect(found.identity).toEqual({ recorded: second, found: second, backedUp: second });
    expect(found.backups.map(({ id }) => id)).toContain('one');
    expect(findings(found).identity).toBe('fresh');
  });

  test('a restore that isn’t settled blocks', async () => {
    const context = contextOf();
    await establish(context);
    await writeJournal(context, { state: 'halted', securityGroups: [], swap: null });
    expect((await evidence(context)).problems[0]!.what).toContain('a restore is under way');
    await writeParameter(context, 'swap', 'nonsense');
    expect((await evidence(context)).problems[0]!.what).toContain('the journal of a restore');
  });
});

describe('the record', () => {
  test('is entered once: a second begin finds the first', async () => {
    const context = contextOf();
    const begun = await beginRecord(context, 'provisioning');
    expect(await beginRecord(context, 'adopting')).toEqual(begun);
    expect(await readRecord(context)).toEqual(begun);
    const found = await evidence(context);
    expect(found).toMatchObject({ phase: 'provisioning', begunAt: null });
  });

  test('of production is never that of staging', async () => {
    await beginRecord(contextOf(), 'provisioning');
    const staging = contextOf({}, { environment: 'staging' });
    await expect(beginRecord(staging, 'provisioning')).rejects.toMatchObject({ code: 'refused' });
    expect((await evidence(staging)).environment).toBe('production');
  });

  test('of staging may become one of production later', async () => {
    await beginRecord(contextOf({}, { environment: 'staging' }), 'provisioning');
    await expect(beginRecord(contextOf(), 'provisioning')).resolves.toMatchObject({ environment: 'staging' });
  });

  test('that is gone can’t be changed', async () => {
    await expect(updateRecord(contextOf(), { revision: 2 })).rejects.toThrow('/holdfast/shop/record is gone');
  });
});

describe('snapshots that can’t be restored from', () => {
  const cases = [
    ['is being taken', 'Status', 'creating', /being taken \(\d+ %\)/],
    ['failed', 'Status', 'failed', /status is failed/],
    ['has no status', 'Status', '', /status is not known/],
    ['isn’t encrypted', 'Encrypted', 'false', /isn’t encrypted/],
  ] as const;
  test.each(cases)('one that %s', async (_, element, value, reason) => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one', passedNow());
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'one', element, value));
    const one = (await evidence(context)).backups.find(({ id }) => id === 'one');
    expect(one!.unusable).toMatch(reason);
  });

  test('one that doesn’t say when it was taken', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    for (const element of [
      'SnapshotCreateTime',
      'OriginalSnapshotCreateTime',
      'AllocatedStorage',
      'PercentProgress',
    ])
      aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'one', element, ''));
    const found = await evidence(context);
    expect(found.backups.at(-1)).toMatchObject({
      id: 'one',
      unusable: 'it doesn’t say when it was taken',
      sizeBytes: 0,
      startedAt: found.observedAt,
    });
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'one', 'Status', 'creating'));
    expect((await evidence(context)).backups.at(-1)!.unusable).toBe('it is being taken (0 %)');
  });

  test('a copy is as old as what it is a copy of', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    aws.rewrite(
      /^DescribeDBSnapshots$/,
      withElement('DBSnapshot', 'one', 'OriginalSnapshotCreateTime', '2026-01-02T03:04:05Z'),
    );
    expect((await evidence(context)).backups[0]).toMatchObject({
      id: 'one',
      stoppedAt: '2026-01-02T03:04:05.000Z',
    });
  });
});

describe('the instance', () => {
  test('without automated backups has no point-in-time recovery', async () => {
    const context = contextOf();
    await establish(context, { BackupRetentionPeriod: 0 });
    const found = await evidence(context);
    expect(found.archive!.failing).toContain('switched off');
    expect(found.restorable).toBeNull();
    expect(findings(found).restorable).not.toBe('fresh');
  });

  test('without a first automated backup isn’t restorable yet', async () => {
    const context = contextOf();
    await establish(context);
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', 'LatestRestorableTime', ''));
    expect((await evidence(context)).archive).toMatchObject({
      failing: expect.stringContaining('no latest restorable time') as string,
      oldestUnarchivedChangeAt: null,
    });
  });

  test('that is stopped says nothing of its WAL', async () => {
    const context = contextOf();
    await establish(context);
    await context.rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier: 'shop-db' }));
    const found = await evidence(context);
    expect(found).toMatchObject({ server: { state: 'stopped' }, archive: null, problems: [] });
    expect(findings(found).restorable).toBe('unknown');
  });

  test.each([
    ['storage-full', 'its status is storage-full'],
    ['', 'its status is not known'],
  ])('whose status is "%s" is in trouble', async (status, said) => {
    const context = contextOf();
    await establish(context);
    for (const [element, value] of [
      ['DBInstanceStatus', status],
      ['EngineVersion', ''],
      ['StorageEncrypted', ''],
    ] as const)
      aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', element, value));
    expect((await evidence(context)).problems[0]!.what).toContain(said);
  });

  test('whose version isn’t told has none', async () => {
    const context = contextOf();
    await establish(context);
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', 'EngineVersion', ''));
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', 'BackupRetentionPeriod', ''));
    expect(await evidence(context)).toMatchObject({
      server: { version: null },
      archive: { failing: expect.stringContaining('off') as string },
    });
  });

  test('that is modified still serves', async () => {
    const context = contextOf();
    await establish(context);
    await context.rds.send(
      new ModifyDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', AllocatedStorage: 200 }),
    );
    aws.rewrite(
      /^DescribeDBInstances$/,
      withElement('DBInstance', 'shop-db', 'DBInstanceStatus', 'modifying'),
    );
    expect((await evidence(context)).server.state).toBe('running');
  });
});

test('automated backups that AWS doesn’t know are none', async () => {
  const context = contextOf();
  await establish(context);
  aws.refuse(/^DescribeDBInstanceAutomatedBackups$/, 'DBInstanceAutomatedBackupNotFound', { status: 404 });
  expect(await evidence(context)).toMatchObject({ restorable: null, problems: [] });
});

test('time is AWS’s, whatever this machine’s clock says', async () => {
  const context = contextOf();
  await establish(context);
  await createSnapshot(context, 'one', passedNow());
  aws.skewSeconds = 30 * 3600;
  const found = await evidence(contextOf());
  expect(Date.parse(found.observedAt) - Date.now()).toBeGreaterThan(29 * 3_600_000);
  expect(findings(found).recent).toBe('stale');
});

test('a problem that says nothing of what to do names the command that tells more', () => {
  expect(problemOf('x', new HoldfastError('busy', 'said'))).toEqual({
    what: 'said',
    remedy: 'holdfast status',
  });
});
