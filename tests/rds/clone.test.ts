import {
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  StopDBInstanceCommand,
  type DBInstance,
} from '@aws-sdk/client-rds';
import { cloneInstances, clones, describeClone, dropClone } from '../../engines/rds/clone/catalog';
import { clone } from '../../engines/rds/clone/make';
import type { RdsContext } from '../../engines/rds/context';
import { createParameter } from '../../engines/rds/parameters';
import { writeJournal } from '../../engines/rds/replace/journal';
import { restorePoints } from '../../engines/rds/restore-point';
import { keys, tagsOf } from '../../engines/rds/tags';
import { patient, soon } from '../support/engine';
import { startAws, type TestAws } from '../support/moto/moto';
import { removeTempDirs } from '../support/temp';
import { contextOf, createInstance, createSnapshot, establish, tag, withElement } from './support';

let aws: TestAws;
beforeAll(async () => {
  aws = await startAws();
});
beforeEach(() => aws.reset());
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

const of = (
  purpose: 'clone' | 'verification' | 'restore',
  target: Parameters<typeof clone>[1]['target'],
) => ({
  target,
  purpose,
  expiresAt: soon(),
});
const latest = { type: 'latest' } as const;
const one = { type: 'backup-set', id: 'one' } as const;

async function instances({ rds }: RdsContext): Promise<DBInstance[]> {
  return (await rds.send(new DescribeDBInstancesCommand({}))).DBInstances ?? [];
}
const byName = async (context: RdsContext, id: string) =>
  (await instances(context)).find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === id)!;

/** Subnets, security group and parameter group other than the defaults. */
async function network(): Promise<{ groups: string[]; subnets: string; parameters: string }> {
  const ec2 = (parameters: Record<string, string>) =>
    aws.ask('ec2', { Version: '2016-11-15', ...parameters });
  const subnets = [...(await ec2({ Action: 'DescribeSubnets' })).matchAll(/<subnetId>([^<]+)/g)].map(
    ([, id]) => id!,
  );
  const group = /<groupId>([^<]+)/.exec(
    await ec2({ Action: 'CreateSecurityGroup', GroupName: 'db', GroupDescription: 'db' }),
  )![1]!;
  const rds = (parameters: Record<string, string>) =>
    aws.ask('rds', { Version: '2014-10-31', ...parameters });
  await rds({
    Action: 'CreateDBSubnetGroup',
    DBSubnetGroupName: 'private',
    DBSubnetGroupDescription: 'private',
    'SubnetIds.SubnetIdentifier.1': subnets[0]!,
    'SubnetIds.SubnetIdentifier.2': subnets[1]!,
  });
  await rds({
    Action: 'CreateDBParameterGroup',
    DBParameterGroupName: 'pg16',
    DBParameterGroupFamily: 'postgres16',
    Description: 'ours',
  });
  return { groups: [group], subnets: 'private', parameters: 'pg16' };
}

describe('a clone', () => {
  test('is in the network of the original, never public, and says what it is for', async () => {
    const context = contextOf();
    const { groups, subnets, parameters } = await network();
    const original = await establish(context, {
      VpcSecurityGroupIds: groups,
      DBSubnetGroupName: subnets,
      DBParameterGroupName: parameters,
      Port: 5455,
      PubliclyAccessible: true,
    });
    const request = of('clone', latest);
    const made = await clone(context, request).wait(patient());
    expect(made).toMatchObject({
      purpose: 'clone',
      state: 'running',
      expiresAt: request.expiresAt,
      connect: ['-h', 'localhost', '-p', '5455', '-U', 'holdfast', 'postgres'],
      measured: { replayBytesPerSecond: null, backupSet: 'point-in-time recovery' },
    });
    expect(made.id).toMatch(/^shop-db-hf-\d{14}-[0-9a-f]{6}$/);
    const instance = await byName(context, made.id);
    expect(instance).toMatchObject({
      DBInstanceClass: 'db.m7g.large',
      DBSubnetGroup: { DBSubnetGroupName: 'private' },
      VpcSecurityGroups: [{ VpcSecurityGroupId: groups[0] }],
      DBParameterGroups: [{ DBParameterGroupName: 'pg16' }],
      PubliclyAccessible: false,
      MultiAZ: false,
      DeletionProtection: false,
      CopyTagsToSnapshot: false,
      StorageEncrypted: true,
      BackupRetentionPeriod: 0,
    });
    expect(tagsOf(instance.TagList)).not.toHaveProperty('team');
    expect(instance.DbiResourceId).not.toBe(original.DbiResourceId);
    expect(await clones(context)).toEqual([made]);
  });

  test('that is only looked at may be smaller; one that will serve is as the original, and backed up', async () => {
    const context = contextOf({ cloneClass: 'db.t4g.medium' });
    await establish(context);
    const small = await clone(context, of('clone', latest)).wait(patient());
    const full = await clone(context, of('restore', latest)).wait(patient());
    expect(await byName(context, small.id)).toMatchObject({ DBInstanceClass: 'db.t4g.medium' });
    expect(await byName(context, full.id)).toMatchObject({
      DBInstanceClass: 'db.m7g.large',
      BackupRetentionPeriod: 14,
    });
  });

  test('of an instance in quarantine has the security groups from before', async () => {
    const context = contextOf();
    const { groups } = await network();
    await establish(context);
    await writeJournal(context, { state: 'halted', securityGroups: groups, swap: null });
    const made = await clone(context, of('restore', latest)).wait(patient());
    expect((await byName(context, made.id)).VpcSecurityGroups![0]!.VpcSecurityGroupId).toBe(groups[0]);
  });

  test('of a snapshot says which, and from when it is', async () => {
    const context = contextOf();
    await establish(context);
    const { SnapshotCreateTime } = await createSnapshot(context, 'one');
    const made = await clone(context, of('verification', one)).wait(patient());
    expect(made.measured).toMatchObject({ backupSet: 'one', reached: SnapshotCreateTime!.toISOString() });
    expect(made.purpose).toBe('verification');
  });

  test('takes minutes: it is begun once, found again after a crash, and done when AWS is', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    aws.rewrite(/^DescribeDBInstances$/, answer =>
      answer
        .replace(/(<DBInstanceIdentifier>shop-db-hf[^<]*<\/DBInstanceIdentifier>)/g, '$1')
        .replace(/<DBInstance>(?:(?!<\/DBInstance>).)*shop-db-hf-.*?<\/DBInstance>/gs, found =>
          found.replace('<DBInstanceStatus>available', '<DBInstanceStatus>creating'),
        ),
    );
    const first = await clone(context, of('verification', one)).poll();
    expect(first).toMatchObject({
      state: 'running',
      progress: { step: expect.stringContaining('(creating)') as string },
    });
    expect(await clones(context)).toMatchObject([{ state: 'incomplete', measured: null }]);
    expect(await clone(context, of('verification', one)).poll()).toMatchObject({ state: 'running' });
    aws.heal();
    const watch = patient();
    const done = await clone(context, of('verification', one)).wait(watch);
    expect(watch.steps[0]).toContain('which was begun already');
    // Done is done, and is the same: it is immutable as long as only verifications use it.
    expect(await clone(context, of('verification', one)).wait(patient())).toEqual(done);
    expect(await instances(context)).toHaveLength(2);
  });

  test('that somebody asked for is theirs: the next one is another', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    const first = await clone(context, of('clone', one)).wait(patient());
    aws.skewSeconds = 5;
    await context.rds.send(new DescribeDBInstancesCommand({}));
    const second = await clone(context, of('clone', one)).wait(patient());
    expect(second.id).not.toBe(first.id);
  });

  test('whose first answer was lost is not made twice', async () => {
    const context = contextOf();
    await establish(context);
    aws.refuse(/^RestoreDBInstanceToPointInTime$/, 'DBInstanceAlreadyExists', { times: 1 });
    await expect(clone(context, of('clone', latest)).poll()).rejects.toThrow('is gone');
  });

  test('that is given up is deleted', async () => {
    const context = contextOf();
    await establish(context);
    aws.rewrite(/^DescribeDBInstances$/, answer =>
      answer.replaceAll(/<DBInstance>(?:(?!<\/DBInstance>).)*shop-db-hf-.*?<\/DBInstance>/gs, found =>
        found.replace('<DBInstanceStatus>available', '<DBInstanceStatus>creating'),
      ),
    );
    const watch = patient();
    const waiting = clone(context, of('clone', latest)).wait({
      signal: watch.signal,
      report: ({ step }) => {
        if (step.includes('creating')) watch.cancel.abort(new Error('Ctrl-C'));
      },
    });
    await expect(waiting).rejects.toThrow('Ctrl-C');
    expect(await instances(context)).toHaveLength(1);
  });

  test('that AWS can’t make has failed', async () => {
    const context = contextOf();
    await establish(context);
    const asked = clone(context, of('clone', latest));
    await asked.poll();
    const [made] = await clones(context);
    aws.rewrite(
      /^DescribeDBInstances$/,
      withElement('DBInstance', made!.id, 'DBInstanceStatus', 'incompatible-restore'),
      1,
    );
    await expect(asked.poll()).rejects.toThrow('its status is incompatible-restore');
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', made!.id, 'DBInstanceStatus', ''), 1);
    await expect(asked.poll()).rejects.toThrow('its status is not known');
  });

  test.each([
    ['RestoreDBInstanceToPointInTime', 'AccessDenied', 'configuration'],
    ['RestoreDBInstanceToPointInTime', 'InstanceQuotaExceeded', 'configuration'],
    ['RestoreDBInstanceToPointInTime', 'Throttling', 'busy'],
    ['RestoreDBInstanceToPointInTime', 'InvalidRestoreFault', 'engine-failed'],
    ['AddTagsToResource', 'AccessDenied', 'configuration'],
    ['DescribeDBInstances', 'AccessDenied', 'configuration'],
  ])(
    'that %s is refused for (%s) is %s: only the last but two speak of a backup',
    async (action, error, code) => {
      const context = contextOf();
      await establish(context);
      aws.refuse(new RegExp(`^${action}$`), error);
      await expect(clone(context, of('clone', latest)).poll()).rejects.toMatchObject({ code });
    },
  );

  test('that listing instances is refused for says so', async () => {
    const context = contextOf();
    aws.refuse(/^DescribeDBInstances$/, 'AccessDenied');
    await expect(clones(context)).rejects.toThrow('listing the instances failed: AWS denies it');
  });
});

describe('what a clone is restored from', () => {
  const at = (seconds: number) =>
    ({ type: 'time', at: new Date(Date.now() + seconds * 1000).toISOString() }) as const;
  const bodyOf = (action: string) =>
    new URLSearchParams(aws.calls.find(call => call.action === action)!.body);

  test('a time is the full second before it', async () => {
    const context = contextOf();
    await establish(context);
    const target = { type: 'time', at: at(-600).at.replace(/\.\d+Z$/, '.987Z') } as const;
    const made = await clone(context, of('clone', target)).wait(patient());
    const second = target.at.replace('.987Z', 'Z');
    expect(Date.parse(bodyOf('RestoreDBInstanceToPointInTime').get('RestoreTime')!)).toBe(Date.parse(second));
    expect(Date.parse(made.measured.reached!)).toBe(Date.parse(second));
  });

  test.each([[-30 * 86_400], [3600]])('a time out of range (%d s) is refused', async seconds => {
    const context = contextOf();
    await establish(context);
    await expect(clone(context, of('clone', at(seconds))).poll()).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('restorable is from') as string,
    });
  });

  const point = (name: string, seconds: number) =>
    [name, { name, at: at(seconds).at, position: '0/1' }] as const;

  test('a restore point is the newest of that name; an unknown one is refused, naming those that there are', async () => {
    const context = contextOf();
    await establish(context);
    const asked = () => clone(context, of('clone', { type: 'restore-point', name: 'p' })).poll();
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
      clone(context, of('clone', { type: 'restore-point', name: 'p' })).poll(),
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
    const asked = () => clone(context, of('verification', one)).poll();
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
    const made = await clone(context, of('clone', latest)).wait(patient());
    expect(made.measured.reached).toBeNull();
    expect(bodyOf('RestoreDBInstanceToPointInTime').has('ManageMasterUserPassword')).toBe(false);
  });
});

describe('dropping a clone', () => {
  async function made(purpose: 'clone' | 'verification' = 'clone', settings = {}) {
    const context = contextOf(settings);
    await establish(context);
    return { context, clone: await clone(context, of(purpose, latest)).wait(patient()) };
  }

  test('deletes its instance, without a last snapshot', async () => {
    const { context, clone: dropped } = await made();
    await dropClone(context, dropped.id);
    expect(await clones(context)).toEqual([]);
    await expect(dropClone(context, dropped.id)).rejects.toMatchObject({ code: 'configuration' });
  });

  test('never touches what isn’t a clone of this very cluster', async () => {
    const { context, clone: dropped } = await made();
    for (const [id, tags] of [
      ['other-db', {}],
      ['other-clone', { [keys.cloneOf]: 'other' }],
    ] as const) {
      const { DBInstanceArn } = await createInstance(context, {
        DBInstanceIdentifier: id,
        DeletionProtection: false,
      });
      await tag(context, DBInstanceArn!, tags);
      await expect(dropClone(context, id)).rejects.toThrow('has no clone');
    }
    const original = await byName(context, 'shop-db');
    await tag(context, original.DBInstanceArn!, { [keys.cloneOf]: 'shop' });
    await expect(dropClone(context, 'shop-db')).rejects.toMatchObject({
      hint: expect.stringContaining('not touched') as string,
    });
    expect((await cloneInstances(context)).map(({ DBInstanceIdentifier: id }) => id)).toEqual([dropped.id]);
    expect(await instances(context)).toHaveLength(4);
  });

  test('waits for one that is being made, but not for one that was given up', async () => {
    const { context, clone: dropped } = await made();
    const { DBInstanceArn } = await byName(context, dropped.id);
    await aws.ask('rds', {
      Action: 'RemoveTagsFromResource',
      Version: '2014-10-31',
      ResourceName: DBInstanceArn!,
      'TagKeys.member.1': keys.ready,
    });
    await expect(dropClone(context, dropped.id)).rejects.toMatchObject({ code: 'busy' });
    aws.skewSeconds = 60;
    await dropClone(contextOf({ waitUpTo: '30 s' }), dropped.id);
  });

  test('waits for one that takes the place of the original', async () => {
    const { context, clone: dropped } = await made();
    const { DbiResourceId } = await byName(context, dropped.id);
    const swap = { original: 'db-A', clone: DbiResourceId!, cloneName: dropped.id, aside: 'aside' };
    await writeJournal(context, { state: 'moving', securityGroups: null, swap });
    await expect(dropClone(context, dropped.id)).rejects.toThrow('is taking the place');
  });

  test('is done when it is being deleted already, and fails when AWS refuses', async () => {
    const { context, clone: dropped } = await made();
    aws.refuse(/^DeleteDBInstance$/, 'InvalidDBInstanceState', { times: 1 });
    await dropClone(context, dropped.id);
    aws.refuse(/^DeleteDBInstance$/, 'DBInstanceNotFound', { times: 1, status: 404 });
    await dropClone(context, dropped.id);
    await context.rds.send(
      new ModifyDBInstanceCommand({ DBInstanceIdentifier: dropped.id, DeletionProtection: true }),
    );
    await expect(dropClone(context, dropped.id)).rejects.toThrow('Cannot delete protected DB Instance');
    aws.rewrite(
      /^DescribeDBInstances$/,
      withElement('DBInstance', dropped.id, 'DBInstanceStatus', 'deleting'),
    );
    expect(await clones(context)).toEqual([]);
  });

  test('one that is stopped says so', async () => {
    const { context, clone: dropped } = await made();
    await context.rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier: dropped.id }));
    expect(await clones(context)).toMatchObject([{ state: 'stopped' }]);
  });
});

test('a clone whose tags were changed is told as far as it can be', () => {
  expect(describeClone(contextOf(), {})).toMatchObject({
    id: '',
    purpose: 'clone',
    state: 'incomplete',
    sizeBytes: 0,
    connect: [],
    measured: null,
  });
});

test('clones are listed oldest first', async () => {
  const context = contextOf();
  await establish(context);
  for (const [id, begunAt] of [
    ['b', '2026-02-02T00:00:00Z'],
    ['a', '2026-01-01T00:00:00Z'],
  ] as const) {
    const { DBInstanceArn } = await createInstance(context, { DBInstanceIdentifier: id });
    await tag(context, DBInstanceArn!, { [keys.cloneOf]: 'shop', [keys.begun]: begunAt });
  }
  expect((await clones(context)).map(({ id }) => id)).toEqual(['a', 'b']);
});
