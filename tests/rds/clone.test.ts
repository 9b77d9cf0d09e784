import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds';
import { clones, describeClone } from '../../engines/rds/clone/catalog';
import { clone } from '../../engines/rds/clone/make';
import { writeJournal } from '../../engines/rds/replace/journal';
import { keys, tagsOf } from '../../engines/rds/tags';
import { patient } from '../support/engine';
import {
  cloneRequest,
  contextOf,
  createInstance,
  createSnapshot,
  establish,
  instanceNamed,
  instances,
  tag,
  useAws,
  withElement,
} from './support';

const aws = useAws();

const latest = { type: 'latest' } as const;

const one = { type: 'backup-set', id: 'one' } as const;

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
    const request = cloneRequest('clone', latest);
    const made = await clone(context, request).wait(patient());
    expect(made).toMatchObject({
      purpose: 'clone',
      state: 'running',
      expiresAt: request.expiresAt,
      connect: ['-h', 'localhost', '-p', '5455', '-U', 'holdfast', 'postgres'],
      measured: { replayBytesPerSecond: null, backupSet: 'point-in-time recovery' },
    });
    expect(made.id).toMatch(/^shop-db-hf-\d{14}-[0-9a-f]{6}$/);
    const instance = await instanceNamed(context, made.id);
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
    const small = await clone(context, cloneRequest('clone', latest)).wait(patient());
    const full = await clone(context, cloneRequest('restore', latest)).wait(patient());
    expect(await instanceNamed(context, small.id)).toMatchObject({ DBInstanceClass: 'db.t4g.medium' });
    expect(await instanceNamed(context, full.id)).toMatchObject({
      DBInstanceClass: 'db.m7g.large',
      BackupRetentionPeriod: 14,
    });
  });

  test('of an instance in quarantine has the security groups from before', async () => {
    const context = contextOf();
    const { groups } = await network();
    await establish(context);
    await writeJournal(context, { state: 'halted', securityGroups: groups, swap: null });
    const made = await clone(context, cloneRequest('restore', latest)).wait(patient());
    expect((await instanceNamed(context, made.id)).VpcSecurityGroups![0]!.VpcSecurityGroupId).toBe(groups[0]);
  });

  test('of a snapshot says which, and from when it is', async () => {
    const context = contextOf();
    await establish(context);
    const { SnapshotCreateTime } = await createSnapshot(context, 'one');
    const made = await clone(context, cloneRequest('verification', one)).wait(patient());
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
    const first = await clone(context, cloneRequest('verification', one)).poll();
    expect(first).toMatchObject({
      state: 'running',
      progress: { step: expect.stringContaining('(creating)') as string },
    });
    expect(await clones(context)).toMatchObject([{ state: 'incomplete', measured: null }]);
    expect(await clone(context, cloneRequest('verification', one)).poll()).toMatchObject({
      state: 'running',
    });
    aws.heal();
    const watch = patient();
    const done = await clone(context, cloneRequest('verification', one)).wait(watch);
    expect(watch.steps[0]).toContain('which was begun already');
    // Done is done, and is the same: it is immutable as long as only verifications use it.
    expect(await clone(context, cloneRequest('verification', one)).wait(patient())).toEqual(done);
    expect(await instances(context)).toHaveLength(2);
  });

  test('that somebody asked for is theirs: the next one is another', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    const first = await clone(context, cloneRequest('clone', one)).wait(patient());
    aws.skewSeconds = 5;
    await context.rds.send(new DescribeDBInstancesCommand({}));
    const second = await clone(context, cloneRequest('clone', one)).wait(patient());
    expect(second.id).not.toBe(first.id);
  });

  test('whose first answer was lost is not made twice', async () => {
    const context = contextOf();
    await establish(context);
    aws.refuse(/^RestoreDBInstanceToPointInTime$/, 'DBInstanceAlreadyExists', { times: 1 });
    await expect(clone(context, cloneRequest('clone', latest)).poll()).rejects.toThrow('is gone');
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
    const waiting = clone(context, cloneRequest('clone', latest)).wait({
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
    const asked = clone(context, cloneRequest('clone', latest));
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
      await expect(clone(context, cloneRequest('clone', latest)).poll()).rejects.toMatchObject({ code });
    },
  );

  test('that listing instances is refused for says so', async () => {
    const context = contextOf();
    aws.refuse(/^DescribeDBInstances$/, 'AccessDenied');
    await expect(clones(context)).rejects.toThrow('listing the instances failed: AWS denies it');
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
