import { DeleteDBSnapshotCommand, type DBSnapshot } from '@aws-sdk/client-rds';
import { backup } from '../../engines/rds/backup';
import { evidence } from '../../engines/rds/evidence';
import { beginRecord, updateRecord } from '../../engines/rds/record';
import { decodeText, keys, tagsOf } from '../../engines/rds/tags';
import { patient } from '../support/engine';
import {
  contextOf,
  createInstance,
  createSnapshot,
  establish,
  manualSnapshots,
  useAws,
  withElement,
} from './support';

const aws = useAws();

const count = (action: string) => aws.calls.filter(call => call.action === action).length;

describe('a backup', () => {
  test('is a snapshot that says what it is for, and until when it is kept', async () => {
    const context = contextOf();
    await establish(context);
    const annotations = { changeId: 'prod#7', requestedBy: 'Åsa <asa@example.com>', breakGlass: 'fire' };
    const set = await backup(context, annotations).wait(patient());
    expect(set).toMatchObject({ kind: 'full', unusable: null, changeId: 'prod#7', verification: null });
    const [snapshot] = await manualSnapshots(context);
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
    const [snapshot] = await manualSnapshots(context);
    const expires = tagsOf(snapshot!.TagList)[keys.expires]!;
    expect(Date.parse(expires) - Date.now()).toBeLessThan(2 * 86_400_000 + 1000);
  });

  test('that takes long is begun once, polled, and done when AWS is', async () => {
    const context = contextOf();
    await establish(context);
    const taking = backup(context, { changeId: '7' });
    await taking.poll();
    const [snapshot] = await manualSnapshots(context);
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
    expect(await manualSnapshots(context)).toHaveLength(1);
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
    const [{ TagList } = {} as DBSnapshot] = await manualSnapshots(context);
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
    expect(await manualSnapshots(context)).toHaveLength(1);
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
    expect(await manualSnapshots(context)).toHaveLength(1);
    expect((await manualSnapshots(context))[0]!.DBSnapshotIdentifier).toBe(set.id);
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
    const [{ DBSnapshotIdentifier } = {} as DBSnapshot] = await manualSnapshots(context);
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
