import { clone } from '../../engines/rds/clone/make';
import { createParameter } from '../../engines/rds/parameters';
import { restorePoints } from '../../engines/rds/restore-point';
import { patient } from '../support/engine';
import { cloneRequest, contextOf, createSnapshot, establish, useAws, withElement } from './support';

const aws = useAws();

const latest = { type: 'latest' } as const;

const one = { type: 'backup-set', id: 'one' } as const;

describe('what a clone is restored from', () => {
  const at = (seconds: number) =>
    ({ type: 'time', at: new Date(Date.now() + seconds * 1000).toISOString() }) as const;
  const bodyOf = (action: string) =>
    new URLSearchParams(aws.calls.find(call => call.action === action)!.body);

  test('a time is the full second before it', async () => {
    const context = contextOf();
    await establish(context);
    const target = { type: 'time', at: at(-600).at.replace(/\.\d+Z$/, '.987Z') } as const;
    const made = await clone(context, cloneRequest('clone', target)).wait(patient());
    const second = target.at.replace('.987Z', 'Z');
    expect(Date.parse(bodyOf('RestoreDBInstanceToPointInTime').get('RestoreTime')!)).toBe(Date.parse(second));
    expect(Date.parse(made.measured.reached!)).toBe(Date.parse(second));
  });

  test.each([[-30 * 86_400], [3600]])('a time out of range (%d s) is refused', async seconds => {
    const context = contextOf();
    await establish(context);
    await expect(clone(context, cloneRequest('clone', at(seconds))).poll()).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('restorable is from') as string,
    });
  });

  const point = (name: string, seconds: number) =>
    [name, { name, at: at(seconds).at, position: '0/1' }] as const;

  test('a restore point is the newest of that name; an unknown one is refused, naming those that there are', async () => {
    const context = contextOf();
    await establish(context);
    const asked = () => clone(context, cloneRequest('clone', { type: 'restore-point', name: 'p' })).poll();
    await expect(asked()).rejects.toMatchObject({ hint: expect.stringContaining('None is known') as string });
    const [, other] = point('q', -700);
    await createParameter(context, 'restore-point/0', JSON.stringify(other));
    await expect(asked()).rejects.toMatchObject({
      hint: expect.stringContaining('The newest are q (') as string,
    });
    const [, older] = point('p', -600);
    const [, newer] = point('p', -60);
    await createParameter(context, 'restore-point/2', JSON.stringify(newer));
    await createParameter(context, 'restore-point/1', JSON.stringify(older));
    await createParameter(context, 'restore-point/3', 'nonsense');
    expect((await restorePoints(context)).map(({ name }) => name)).toEqual(['q', 'p', 'p']);
    await asked();
    const restoreTime = bodyOf('RestoreDBInstanceToPointInTime').get('RestoreTime')!;
    expect(Date.parse(restoreTime)).toBe(Math.floor(Date.parse(newer.at) / 1000) * 1000);
  });

  test('a restore point that RDS doesn’t reach yet has to be waited for', async () => {
    const context = contextOf();
    await establish(context);
    const [, soonReached] = point('p', 60);
    await createParameter(context, 'restore-point/1', JSON.stringify(soonReached));
    await expect(
      clone(context, cloneRequest('clone', { type: 'restore-point', name: 'p' })).poll(),
    ).rejects.toMatchObject({
      code: 'busy',
      message: expect.stringContaining('until then only a snapshot does') as string,
    });
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', 'LatestRestorableTime', ''));
    expect(await restorePoints(context)).toMatchObject([{ pending: expect.any(String) as string }]);
    aws.heal();
    aws.refuse(/^DescribeDBInstanceAutomatedBackups$/, 'DBInstanceAutomatedBackupNotFound', { status: 404 });
    expect(await restorePoints(context)).toEqual([]);
  });

  test('a snapshot that isn’t there or can’t be restored is no backup', async () => {
    const context = contextOf();
    await establish(context);
    const asked = () => clone(context, cloneRequest('verification', one)).poll();
    await expect(asked()).rejects.toMatchObject({ code: 'check-failed' });
    await createSnapshot(context, 'one');
    aws.rewrite(/^DescribeDBSnapshots$/, withElement('DBSnapshot', 'one', 'Status', 'failed'), 1);
    await expect(asked()).rejects.toThrow('its status is failed');
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', 'StorageEncrypted', ''), 1);
    await asked();
  });

  test('the latest moment is what AWS says it is; where it says none, none is said', async () => {
    const context = contextOf();
    await establish(context, { ManageMasterUserPassword: false, MasterUserPassword: 'not-a-secret' });
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', 'LatestRestorableTime', ''), 1);
    const made = await clone(context, cloneRequest('clone', latest)).wait(patient());
    expect(made.measured.reached).toBeNull();
    expect(bodyOf('RestoreDBInstanceToPointInTime').has('ManageMasterUserPassword')).toBe(false);
  });
});
