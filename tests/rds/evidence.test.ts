import { HoldfastError } from '../../core/errors';
import { judge } from '../../core/freshness';
import { problemOf } from '../../engines/rds/failure';
import { evidence } from '../../engines/rds/evidence';
import { openClients } from '../../engines/rds/clients';
import { createParameter } from '../../engines/rds/parameters';
import { beginRecord } from '../../engines/rds/record';
import { region } from '../support/moto/moto';
import { contextOf, createSnapshot, establish, limits, passedNow, useAws, verdicts } from './support';

const aws = useAws();

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
  expect(verdicts(found).recent).toBe('stale');
});

test('a problem that says nothing of what to do names the command that tells more', () => {
  expect(problemOf('x', new HoldfastError('busy', 'said'))).toEqual({
    what: 'said',
    remedy: 'holdfast status',
  });
});
