import { DeleteDBSnapshotCommand, type DBSnapshot } from '@aws-sdk/client-rds';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { backup } from '../../engines/rds/backup';
import { evidence } from '../../engines/rds/evidence';
import { withClusterLock } from '../../engines/rds/lock';
import { createParameter, listParameters, writeParameter } from '../../engines/rds/parameters';
import { expiredSnapshots } from '../../engines/rds/prune';
import { beginRecord, updateRecord } from '../../engines/rds/record';
import { decodeText, decodeVerification, encodeText, keys, tagsOf, toTagList } from '../../engines/rds/tags';
import { lastCounts, recordVerification } from '../../engines/rds/verification';
import { patient } from '../support/engine';
import { startAws, type TestAws } from '../support/moto/moto';
import { removeTempDirs } from '../support/temp';
import {
  contextOf,
  createInstance,
  createSnapshot,
  establish,
  snapshotsOf,
  tag,
  withElement,
} from './support';

let aws: TestAws;
beforeAll(async () => {
  aws = await startAws();
});
beforeEach(() => aws.reset());
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

const manual = async (context: ReturnType<typeof contextOf>) =>
  (await snapshotsOf(context)).filter(({ SnapshotType }) => SnapshotType === 'manual');
/** The names of all parameters below a path, at whatever depth. */
const storedBelow = async (context: ReturnType<typeof contextOf>, path: string) => {
  const { Parameters: found } = await context.ssm.send(
    new GetParametersByPathCommand({ Path: `/holdfast/shop/${path}`, Recursive: true }),
  );
  return found!.map(({ Name }) => Name);
};
const count = (action: string) => aws.calls.filter(call => call.action === action).length;

describe('a backup', () => {
  test('is a snapshot that says what it is for, and until when it is kept', async () => {
    const context = contextOf();
    await establish(context);
    const annotations = { changeId: 'prod#7', requestedBy: 'Åsa <asa@example.com>', breakGlass: 'fire' };
    const set = await backup(context, annotations).wait(patient());
    expect(set).toMatchObject({ kind: 'full', unusable: null, changeId: 'prod#7', verification: null });
    const [snapshot] = await manual(context);
    expect(snapshot!.DBSnapshotIdentifier).toMatch(/^hf-shop-\d{12}-[0-9a-f]{8}$/);
    const tags = tagsOf(snapshot!.TagList);
    expect(decodeText(tags[keys.requestedBy]!)).toBe('Åsa <asa@example.com>');
    expect(tags[keys.breakGlass]).toBe('fire');
    expect(Date.parse(tags[keys.expires]!) - Date.now()).toBeGreaterThan(29 * 86_400_000);
    expect((await evidence(context)).backups.at(-1)).toEqual(set);
  });

  test('of the schedule is kept for less long', async () => {
    const context = contextOf({ snapshots: { keepFor: '2 d' } });
    await establish(context);
    await backup(context, { requestedBy: 'run-due' }).wait(patient());
    const [snapshot] = await manual(context);
    const expires = tagsOf(snapshot!.TagList)[keys.expires]!;
    expect(Date.parse(expires) - Date.now()).toBeLessThan(2 * 86_400_000 + 1000);
  });

  test('that takes long is begun once, polled, and done when AWS is', async () => {
    const context = contextOf();
    await establish(context);
    const taking = backup(context, { changeId: '7' });
    await taking.poll();
    const [snapshot] = await manual(context);
    const id = snapshot!.DBSnapshotIdentifier!;
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', id, 'Status', 'creating'));
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', id, 'PercentProgress', '40'));
    expect(await taking.poll()).toEqual({
      state: 'running',
      progress: { fraction: 0.4, step: `taking the snapshot ${id}` },
    });
    // Another process, after a crash, finds it.
    const again = backup(context, { changeId: '7' });
    expect(await again.poll()).toMatchObject({ state: 'running' });
    aws.heal();
    expect(await again.poll()).toMatchObject({ state: 'done', result: { id } });
    expect(await taking.poll()).toMatchObject({ state: 'done', result: { id } });
    expect(await manual(context)).toHaveLength(1);
  });

  test('joins a snapshot that somebody else is taking, and leaves it theirs', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'theirs', { owner: 'them' });
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'theirs', 'Status', 'creating'), 2);
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'theirs', 'PercentProgress', ''), 2);
    const watch = patient();
    const set = await backup(context, { changeId: 'seven' }).wait(watch);
    expect(set).toMatchObject({ id: 'theirs', changeId: 'seven' });
    expect(watch.steps).toEqual([expect.stringContaining('joining theirs'), 'taking the snapshot theirs']);
    expect(count('CreateDBSnapshot')).toBe(1);
    const [{ TagList } = {} as DBSnapshot] = await manual(context);
    expect(tagsOf(TagList)).toEqual({
      owner: 'them',
      [keys.change]: 'seven',
      [keys.joined]: expect.stringMatching(/^hf-shop-/) as string,
    });
  });

  test('that was begun by another process is found by when it was: also one that has failed meanwhile, or was joined', async () => {
    const context = contextOf();
    await establish(context);
    const begun = '2026-01-02T03:04:05.000Z';
    const own = await backup(context, { requestedBy: 'one@lambda' }, begun).wait(patient());
    expect(own.id).toMatch(/^hf-shop-202601020304-/);
    expect(await backup(context, { requestedBy: 'two@lambda' }, begun).poll()).toMatchObject({
      state: 'done',
      result: { id: own.id },
    });
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', own.id, 'Status', 'failed'), 2);
    await expect(backup(context, {}, begun).poll()).rejects.toThrow('its status is failed');
    await createSnapshot(context, 'theirs');
    const next = '2026-01-03T03:04:05.000Z';
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'theirs', 'Status', 'creating'), 2);
    expect(await backup(context, {}, next).poll()).toMatchObject({ state: 'running' });
    expect(await backup(context, {}, next).poll()).toMatchObject({ state: 'done', result: { id: 'theirs' } });
    expect(count('CreateDBSnapshot')).toBe(2);
  });

  test('that another process has begun since the snapshots were listed is the same', async () => {
    const context = contextOf();
    await establish(context);
    const begun = '2026-01-02T03:04:05.000Z';
    const { id } = await backup(context, {}, begun).wait(patient());
    aws.rewrite(
      /^DescribeDBSnapshots$/,
      answer =>
        answer.replace(new RegExp(`<DBSnapshot>(?:(?!<DBSnapshot>).)*>${id}<.*?</DBSnapshot>`, 's'), ''),
      1,
    );
    expect(await backup(context, {}, begun).wait(patient())).toMatchObject({ id });
    expect(count('CreateDBSnapshot')).toBe(2);
    expect(await manual(context)).toHaveLength(1);
  });

  test('joins one that was begun in between', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'theirs');
    aws.refuse(/^CreateDBSnapshot$/, 'InvalidDBInstanceState');
    let asked = 0;
    aws.rewrite(/^DescribeDBSnapshots$/, answer =>
      ++asked === 2 ? withElement('DBSnapshot', 'theirs', 'Status', 'creating')(answer) : answer,
    );
    expect(await backup(context, {}).wait(patient())).toMatchObject({ id: 'theirs' });
  });

  test('of an instance that is busy with something else says so', async () => {
    const context = contextOf();
    await establish(context);
    aws.refuse(/^CreateDBSnapshot$/, 'InvalidDBInstanceState');
    await expect(backup(context, {}).wait(patient())).rejects.toMatchObject({ code: 'busy' });
  });

  test('whose first answer was lost is not taken twice', async () => {
    const context = contextOf();
    await establish(context);
    aws.rewrite(/^CreateDBSnapshot$/, () => 'lost', 1);
    const set = await backup(context, {})
      .wait(patient())
      .catch(() => backup(context, {}).wait(patient()));
    expect(await manual(context)).toHaveLength(1);
    expect((await manual(context))[0]!.DBSnapshotIdentifier).toBe(set.id);
  });

  test.each([
    ['failed', 'can’t be restored from: its status is failed'],
    ['incompatible-restore', 'its status is incompatible-restore'],
  ])('that ends as %s has failed', async (status, said) => {
    const context = contextOf();
    await establish(context);
    aws.rewrite(/^DescribeDBSnapshots$/, answer =>
      answer.replaceAll('<Status>available', `<Status>${status}`),
    );
    await expect(backup(context, {}).wait(patient())).rejects.toThrow(said);
  });

  test('that AWS forgot has failed', async () => {
    const context = contextOf();
    await establish(context);
    const taking = backup(context, {});
    await taking.poll();
    const [{ DBSnapshotIdentifier } = {} as DBSnapshot] = await manual(context);
    await context.rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier }));
    await expect(taking.poll()).rejects.toThrow('looking at the snapshot');
    aws.rewrite(/^DescribeDBSnapshots$/, answer => answer.replace(/<DBSnapshot>.*<\/DBSnapshot>/s, ''));
    await createSnapshot(context, String(DBSnapshotIdentifier));
    await expect(taking.poll()).rejects.toThrow('its status is not known');
  });

  test.each([
    ['CreateDBSnapshot', 'AccessDenied', 'configuration', 'beginning the snapshot'],
    ['DescribeAccountAttributes', 'AccessDenied', 'configuration', 'the quota of snapshots'],
    ['DescribeDBInstances', 'ExpiredToken', 'configuration', 'Log in'],
  ])('that AWS refuses (%s: %s) says what to do', async (action, error, code, said) => {
    const context = contextOf();
    await establish(context);
    aws.refuse(new RegExp(action), error);
    const failure = await backup(context, {})
      .wait(patient())
      .catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code });
    expect((failure as { describe(): string }).describe()).toContain(said);
  });

  test('that was joined and can’t be tagged has failed', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'theirs');
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'theirs', 'Status', 'creating'), 1);
    aws.refuse(/^AddTags/, 'AccessDenied');
    await expect(backup(context, { changeId: '7' }).wait(patient())).rejects.toThrow(
      'tagging the snapshot theirs',
    );
  });

  test('waits through a moment in which AWS doesn’t answer', async () => {
    const context = contextOf();
    await establish(context);
    const watch = patient();
    const waiting = backup(context, {});
    await waiting.poll();
    aws.refuse(/^DescribeDBSnapshots$/, 'Throttling', { times: 2 });
    await waiting.wait(watch);
    expect(watch.steps).toEqual([
      expect.stringContaining('AWS throttles'),
      'waiting for the snapshot of shop',
    ]);
  });

  test('that takes longer than is waited for goes on by itself', async () => {
    const context = contextOf({ waitUpTo: '0.01 s' });
    await establish(context);
    aws.rewrite(/^DescribeDBSnapshots$/, answer =>
      answer.replaceAll('<Status>available', '<Status>creating'),
    );
    await expect(backup(context, {}).wait(patient())).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining('AWS goes on with it') as string,
    });
  });

  test('that is given up goes on by itself', async () => {
    const context = contextOf();
    await establish(context);
    aws.rewrite(/^DescribeDBSnapshots$/, answer =>
      answer.replaceAll('<Status>available', '<Status>creating'),
    );
    const watch = patient();
    const waiting = backup(context, {}).wait({
      signal: watch.signal,
      report: () => watch.cancel.abort(new Error('Ctrl-C')),
    });
    await expect(waiting).rejects.toThrow('Ctrl-C');
    await expect(backup(context, {}).wait(watch)).rejects.toThrow('Ctrl-C');
  });

  test('is only taken of the recorded instance', async () => {
    const context = contextOf();
    await expect(backup(context, {}).poll()).rejects.toMatchObject({ code: 'refused' });
    await beginRecord(context, 'provisioning');
    await expect(backup(context, {}).poll()).rejects.toThrow('there is no instance shop-db');
    await createInstance(context, { DeletionProtection: false, StorageEncrypted: false });
    await expect(backup(context, {}).poll()).resolves.toMatchObject({ state: 'done' });
    await updateRecord(context, { identity: 'db-OTHER' });
    await expect(backup(context, {}).poll()).rejects.toThrow('but db-OTHER is recorded');
  });
});

describe('room for snapshots', () => {
  const quota = (used: number, most: number) =>
    aws.rewrite(/^DescribeAccountAttributes$/, answer =>
      answer.replace(/<Used>\d+/, `<Used>${used}`).replace(/<Max>\d+/, `<Max>${most}`),
    );

  test('that is used up is said before anything is begun', async () => {
    const context = contextOf();
    await establish(context);
    quota(100, 100);
    await expect(backup(context, {}).poll()).rejects.toThrow(
      '100 manual snapshots in eu-central-1, and may have 100',
    );
    expect(count('CreateDBSnapshot')).toBe(0);
  });

  test('that AWS doesn’t tell holds nothing up', async () => {
    const context = contextOf();
    await establish(context);
    aws.rewrite(/^DescribeAccountAttributes$/, answer => answer.replace('ManualSnapshots', 'Other'));
    await expect(backup(context, {}).poll()).resolves.toMatchObject({ state: 'done' });
  });

  const expired = { [keys.cluster]: 'shop', [keys.expires]: '2026-01-01T00:00:00.000Z' };

  test('is made of what has expired, and what can’t be deleted holds nothing up', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'hf-shop-1', expired);
    await createSnapshot(context, 'hf-shop-2', expired);
    await createSnapshot(context, 'hf-shop-3', expired);
    const watch = patient();
    aws.refuse(/^DeleteDBSnapshot$/, 'AccessDenied', { times: 1 });
    await backup(context, {}).wait(watch);
    expect(watch.steps).toEqual([
      expect.stringContaining('deleting the expired snapshot hf-shop-1 failed'),
      'deleted the expired snapshot hf-shop-2',
    ]);
    // The newest usable one was kept.
    expect((await manual(context)).map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier)).toEqual([
      'hf-shop-1',
      'hf-shop-3',
      expect.stringMatching(/^hf-shop-2/),
    ]);
  });

  test('a snapshot that is gone already is as good as deleted', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'hf-shop-1', expired);
    await createSnapshot(context, 'hf-shop-2');
    aws.refuse(/^DeleteDBSnapshot$/, 'DBSnapshotNotFound', { status: 404 });
    const watch = patient();
    await backup(context, {}).wait(watch);
    expect(watch.steps).toEqual(['deleted the expired snapshot hf-shop-1']);
  });

  const snapshot = (
    id: string,
    day: number,
    rest: Partial<DBSnapshot> & { tags?: object } = {},
  ): DBSnapshot => ({
    DBSnapshotIdentifier: id,
    SnapshotType: 'manual',
    Status: 'available',
    SnapshotCreateTime: new Date(Date.UTC(2026, 0, day)),
    ...rest,
    TagList: toTagList({ ...expired, ...rest.tags }),
  });
  const verdict = (result: string, at: string) => ({
    [keys.result]: result,
    [keys.at]: at,
    [keys.restoreSeconds]: '1',
  });
  const prunes = (...snapshots: DBSnapshot[]) =>
    expiredSnapshots('shop', [...snapshots, snapshot('newest', 30)], true, '2026-02-01T00:00:00.000Z').map(
      ({ DBSnapshotIdentifier }) => DBSnapshotIdentifier,
    );

  test('only Holdfast’s own expired snapshots of this cluster are pruned', () => {
    const encrypted = { Encrypted: true };
    expect(
      prunes(
        snapshot('hf-shop-old', 1, encrypted),
        snapshot('hf-shop-failed', 2, { Status: 'failed' }),
        snapshot('hf-shop-creating', 3, { Status: 'creating' }),
        snapshot('hf-shop-automated', 3, { SnapshotType: 'automated' }),
        snapshot('hf-shop-other', 4, { tags: { [keys.cluster]: 'other' } }),
        snapshot('hf-shop-later', 5, { tags: { [keys.expires]: '2026-03-01T00:00:00.000Z' } }),
        snapshot('hf-shop-unreadable', 5, { tags: { [keys.expires]: 'never' } }),
        snapshot('copy-of-hf-old', 6),
        { SnapshotType: 'manual', Status: 'available', DBSnapshotIdentifier: 'hf-shop-untagged' },
        { SnapshotType: 'manual', Status: 'available' },
        snapshot('hf-shop-usable', 7, encrypted),
      ),
    ).toEqual(['hf-shop-old', 'hf-shop-failed']);
  });

  test('neither the newest usable nor what was verified last is pruned', () => {
    expect(
      prunes(
        snapshot('hf-shop-first', 1, { tags: verdict('passed', '2026-01-02T00:00:00Z') }),
        snapshot('hf-shop-passed', 2, { tags: verdict('passed', '2026-01-08T00:00:00Z') }),
        snapshot('hf-shop-failed', 3, { tags: verdict('failed', '2026-01-09T00:00:00Z') }),
        snapshot('hf-shop-fourth', 4, { tags: verdict('failed', '2026-01-03T00:00:00Z') }),
        snapshot('hf-shop-newest', 5, { Encrypted: true }),
        snapshot('hf-shop-unencrypted', 6),
      ),
    ).toEqual(['hf-shop-first', 'hf-shop-fourth', 'hf-shop-unencrypted']);
  });
});

describe('a verification', () => {
  const passed = (at: string) => ({
    result: 'passed' as const,
    at,
    restoreSeconds: 1500.5,
    replayBytesPerSecond: null,
    reason: null,
  });
  const at = new Date(Date.now() - 60_000).toISOString();

  test('is kept on its snapshot, with its counts', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    expect(await lastCounts(context)).toBeNull();
    await recordVerification(context, 'one', passed(at), { 'shop.app.orders': 7 });
    expect((await evidence(context)).backups.at(-1)!.verification).toEqual(passed(at));
    expect(await lastCounts(context)).toEqual({ 'shop.app.orders': 7 });
  });

  test('that failed says why, and the counts of the last that passed stay', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    await createSnapshot(context, 'two');
    await recordVerification(context, 'one', passed(at), { 'shop.app.orders': 7 });
    const failure = {
      ...passed(new Date().toISOString()),
      result: 'failed' as const,
      reason: '“orders” has 0 rows; < 7',
    };
    await recordVerification(context, 'two', failure, {});
    expect((await evidence(context)).backups.at(-1)!.verification).toEqual(failure);
    expect(await lastCounts(context)).toEqual({ 'shop.app.orders': 7 });
  });

  test('takes the place of the older one’s counts', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    await createSnapshot(context, 'two');
    await recordVerification(context, 'two', passed(at), { a: 1 });
    await recordVerification(context, 'one', passed(new Date().toISOString()), { a: 2 });
    expect(await lastCounts(context)).toEqual({ a: 2 });
    const [counts, ...others] = await listParameters(context, 'counts');
    expect(others).toEqual([]);
    await writeParameter(context, `counts/${counts!.name}`, 'forged');
    expect(await lastCounts(context)).toBeNull();
  });

  test('keeps the counts of however many tables', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [`shop.app.table_${(i * 7919) % 3001}_${i ** 3}`, i]),
    );
    await recordVerification(context, 'one', passed(at), many);
    expect(await lastCounts(context)).toEqual(many);
    await recordVerification(context, 'one', passed(at), {});
    expect(await lastCounts(context)).toEqual({});
    expect(await storedBelow(context, 'counts')).toHaveLength(1);
  });

  test('of a snapshot that is gone, or whose tags don’t arrive, is not kept', async () => {
    const context = contextOf();
    await establish(context);
    await expect(recordVerification(context, 'one', passed(at), {})).rejects.toThrow('has no snapshot one');
    await createSnapshot(context, 'one');
    aws.refuse(/^AddTags/, 'AccessDenied');
    await expect(recordVerification(context, 'one', passed(at), {})).rejects.toThrow(
      'tagging the snapshot one',
    );
    aws.heal();
    aws.rewrite(/^DescribeDBSnapshots$/, answer => answer.replaceAll('holdfast:verified-at', 'other'));
    await expect(recordVerification(context, 'one', passed(at), {})).rejects.toThrow('could not be kept');
  });

  test.each([
    {},
    { [keys.result]: 'passed' },
    { [keys.result]: 'passed', [keys.at]: at },
    { [keys.result]: 'passed', [keys.at]: at, [keys.restoreSeconds]: 'long' },
    { [keys.result]: 'perhaps', [keys.at]: at, [keys.restoreSeconds]: '1' },
  ])('is none when its tags are %j', tags => {
    expect(decodeVerification(tags)).toBeNull();
  });
});

describe('text in a tag', () => {
  test.each(['plain', 'a_b.c:d/e=f+g-h@i', '“quoted” & <ä>, 100 %', '🐘'])('%s comes back', text => {
    const encoded = encodeText(text);
    expect(encoded).toMatch(/^[A-Za-z0-9 _.:/=+@-]*$/);
    expect(decodeText(encoded)).toBe(text);
  });

  test('is one line of at most 256 characters, cut between characters', async () => {
    expect(encodeText(' a\n\tb ')).toBe('a b');
    const encoded = encodeText('ä'.repeat(100));
    expect(encoded).toHaveLength(252);
    expect(decodeText(encoded)).toBe('ä'.repeat(42));
    const context = contextOf();
    const { DBInstanceArn } = await createInstance(context);
    await tag(context, DBInstanceArn!, { key: encoded });
    expect(tagsOf(undefined)).toEqual({});
    expect(tagsOf([{ Key: 'a' }])).toEqual({ a: '' });
  });
});

describe('a lock', () => {
  test('is held by one, and says by whom', async () => {
    const context = contextOf();
    await withClusterLock(context, 'backup', 'ada', async () => {
      const second = withClusterLock(context, 'restore', 'bob', () => Promise.resolve());
      await expect(second).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('cluster lock of shop is held by ada (backup), since') as string,
      });
      await withClusterLock(context, 'verification', 'bob', () => Promise.resolve());
    });
    expect(await withClusterLock(context, 'restore', 'bob', () => Promise.resolve('free'))).toBe('free');
  });

  test('is released when the job fails', async () => {
    const context = contextOf();
    const failing = withClusterLock(context, 'backup', 'ada', () => Promise.reject(new Error('disk')));
    await expect(failing).rejects.toThrow('disk');
    await withClusterLock(context, 'backup', 'bob', () => Promise.resolve());
    expect(await listParameters(context, 'lock/cluster')).toHaveLength(1);
  });

  test('of two that want it at the same time is one’s', async () => {
    const contexts = Array.from({ length: 6 }, () => contextOf());
    let inside = 0;
    let most = 0;
    const outcomes = await Promise.allSettled(
      contexts.map(context =>
        withClusterLock(context, 'backup', 'somebody', async () => {
          most = Math.max(most, ++inside);
          await listParameters(context, 'lock');
          inside -= 1;
        }),
      ),
    );
    expect(most).toBe(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'busy' });
  });

  test('whose lease ended is taken over by one', async () => {
    const context = contextOf();
    const stale = { holder: 'dead', since: '2026-01-01T00:00:00.000Z', expires: '2026-01-01T00:15:00.000Z' };
    await createParameter(context, 'lock/cluster/9', JSON.stringify(stale));
    await withClusterLock(context, 'backup', 'ada', async () => {
      expect((await listParameters(context, 'lock/cluster')).map(({ name }) => name)).toEqual(['10']);
    });
  });

  test('is given up by who was too slow to take it', async () => {
    const context = contextOf();
    // Between its look and its creation another one took the lock, twice.
    aws.rewrite(/^GetParametersByPath$/, () => JSON.stringify({ Parameters: [] }), 1);
    const later = { holder: 'eve', since: '2026-01-01T00:00:00.000Z', expires: '2099-01-01T00:00:00.000Z' };
    await createParameter(context, 'lock/cluster/2', JSON.stringify(later));
    await expect(withClusterLock(context, 'backup', 'ada', () => Promise.resolve())).rejects.toThrow(
      'held by eve',
    );
    expect((await listParameters(context, 'lock/cluster')).map(({ name }) => name)).toEqual(['2']);
    // The same, with the generation that it wanted.
    aws.rewrite(/^GetParametersByPath$/, () => JSON.stringify({ Parameters: [] }));
    await createParameter(context, 'lock/cluster/1', JSON.stringify(later));
    await expect(withClusterLock(context, 'backup', 'ada', () => Promise.resolve())).rejects.toThrow(
      'another process',
    );
  });

  test('is renewed as long as it is held', async () => {
    const context = contextOf();
    const renewed = () => count('PutParameter') > 3;
    await withClusterLock(
      context,
      'backup',
      'ada',
      async () => {
        aws.refuse(/^PutParameter$/, 'ThrottlingException', { times: 2 });
        while (!renewed()) await listParameters(context, 'lock/cluster');
      },
      { renewSeconds: 0.02 },
    );
    await withClusterLock(context, 'backup', 'bob', () => Promise.resolve());
  });

  test('that can’t be released is free when its lease ends, and the job has done its work', async () => {
    const context = contextOf();
    const done = await withClusterLock(context, 'backup', 'ada', () => {
      aws.refuse(/^PutParameter$/, 'AccessDeniedException');
      return Promise.resolve('done');
    });
    expect(done).toBe('done');
  });

  test('that can’t be understood, asked for or taken is neither held nor free', async () => {
    const context = contextOf();
    const take = () => withClusterLock(context, 'backup', 'ada', () => Promise.resolve());
    aws.refuse(/^GetParametersByPath$/, 'AccessDeniedException', { times: 1 });
    await expect(take()).rejects.toThrow('listing /holdfast/shop/lock/cluster/ failed: AWS denies it');
    aws.refuse(/^PutParameter$/, 'AccessDeniedException', { times: 1 });
    await expect(take()).rejects.toThrow('writing /holdfast/shop/lock/cluster/1 failed');
    await createParameter(context, 'lock/cluster/1', 'nonsense');
    await expect(take()).rejects.toThrow('can’t be understood');
    await createParameter(
      context,
      'lock/schedule/1',
      JSON.stringify({ holder: 'x', since: '2026-01-01T00:00:00Z', expires: null }),
    );
    aws.refuse(/^DeleteParameter$/, 'AccessDeniedException', { times: 1 });
    await expect(withClusterLock(context, 'schedule', 'ada', () => Promise.resolve())).rejects.toThrow(
      'removing',
    );
    aws.refuse(/^DeleteParameter$/, 'ParameterNotFound', { times: 1 });
    await createParameter(
      context,
      'lock/verification/1',
      JSON.stringify({ holder: 'x', since: '2026-01-01T00:00:00Z', expires: null }),
    );
    await withClusterLock(context, 'verification', 'ada', () => Promise.resolve());
  });
});
