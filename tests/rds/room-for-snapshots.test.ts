import type { DBSnapshot } from '@aws-sdk/client-rds';
import { backup } from '../../engines/rds/backup';
import { expiredSnapshots } from '../../engines/rds/prune';
import { keys, toTagList } from '../../engines/rds/tags';
import { patient } from '../support/engine';
import { contextOf, createSnapshot, establish, manualSnapshots, useAws } from './support';

const aws = useAws();

const count = (action: string) => aws.calls.filter(call => call.action === action).length;

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
    expect((await manualSnapshots(context)).map(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier)).toEqual([
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
