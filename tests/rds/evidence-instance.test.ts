import { ModifyDBInstanceCommand, StopDBInstanceCommand } from '@aws-sdk/client-rds';
import { evidence } from '../../engines/rds/evidence';
import { contextOf, createSnapshot, establish, passedNow, useAws, verdicts, withElement } from './support';

const aws = useAws();

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
    expect(verdicts(found).restorable).not.toBe('fresh');
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
    expect(verdicts(found).restorable).toBe('unknown');
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
