import { clone } from '../../engines/rds/clone/make';
import type { RdsContext } from '../../engines/rds/context';
import { halt, resume } from '../../engines/rds/replace/halt';
import { readJournal } from '../../engines/rds/replace/journal';
import { replaceWith, settle } from '../../engines/rds/replace/swap';
import { patient } from '../support/engine';
import { quarantine, remove } from './replace-support';
import { cloneRequest, contextOf, establish, instances, useAws, withElement } from './support';

const aws = useAws();

describe('a halt', () => {
  const groupsOf = async (context: RdsContext) =>
    (await instances(context))
      .find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === 'shop-db')!
      .VpcSecurityGroups!.map(({ VpcSecurityGroupId }) => VpcSecurityGroupId);

  test('puts the instance into quarantine, ends its connections, and waits until recovery reaches that moment', async () => {
    const context = contextOf({ quarantineSecurityGroup: quarantine });
    await establish(context);
    const before = await groupsOf(context);
    // The first looks find it still being modified, and a group that isn't gone yet.
    aws.rewrite(
      /^DescribeDBInstances$/,
      withElement('DBInstance', 'shop-db', 'DBInstanceStatus', 'modifying'),
      2,
    );
    await halt(context);
    expect(aws.calls.map(({ action }) => action)).toContain('RebootDBInstance');
    expect(await groupsOf(context)).toEqual([quarantine]);
    expect(await readJournal(context)).toMatchObject({ state: 'halted', securityGroups: before });
    await expect(halt(context)).rejects.toMatchObject({ code: 'refused' });
    await resume(context);
    expect(await groupsOf(context)).toEqual(before);
    expect(await readJournal(context)).toBeNull();
    await resume(context);
  });

  test('needs a quarantine security group', async () => {
    await expect(halt(contextOf())).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('--at TIME') as string,
    });
  });

  test('that recovery doesn’t follow is taken back', async () => {
    const context = contextOf({ quarantineSecurityGroup: quarantine, waitUpTo: '0.1 s' });
    await establish(context);
    const before = await groupsOf(context);
    aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', 'shop-db', 'LatestRestorableTime', ''));
    await expect(halt(context)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('in vain until point-in-time recovery reaches') as string,
    });
    expect(await groupsOf(context)).toEqual(before);
    expect(await readJournal(context)).toBeNull();
  });

  test('that AWS refuses is taken back, and what can’t be taken back is told', async () => {
    const context = contextOf({ quarantineSecurityGroup: quarantine });
    await establish(context);
    aws.refuse(/^RebootDBInstance$/, 'AccessDenied', { times: 1 });
    await expect(halt(context)).rejects.toThrow('halting shop, which is as before failed: AWS denies it');
    aws.refuse(/^ModifyDBInstance$/, 'AccessDenied');
    await expect(halt(context)).rejects.toThrow('giving shop-db its security groups back failed');
    aws.heal();
    expect(await settle(context)).toEqual([expect.stringContaining('it is as before')]);
    expect(await readJournal(context)).toBeNull();
  });

  test('lasts through a swap: the clone has the groups from before, the original stays in quarantine', async () => {
    const context = contextOf({ quarantineSecurityGroup: quarantine });
    await establish(context);
    const before = await groupsOf(context);
    await halt(context);
    const request = cloneRequest('restore', { type: 'latest' });
    const made = await clone(context, request).wait(patient());
    const swapping = replaceWith(context, made);
    await swapping.poll();
    await resume(context);
    expect((await readJournal(context))!.state).toBe('moving');
    const { keptAside } = await swapping.wait(patient());
    expect(await groupsOf(context)).toEqual(before);
    const aside = (await instances(context)).find(
      ({ DBInstanceIdentifier }) => DBInstanceIdentifier === keptAside,
    )!;
    expect(aside.VpcSecurityGroups!.map(({ VpcSecurityGroupId }) => VpcSecurityGroupId)).toEqual([
      quarantine,
    ]);
  });

  test('whose swap is undone ends with it', async () => {
    const context = contextOf({ quarantineSecurityGroup: quarantine });
    await establish(context);
    const before = await groupsOf(context);
    await halt(context);
    const request = cloneRequest('restore', { type: 'latest' });
    const made = await clone(context, request).wait(patient());
    await replaceWith(context, made).poll();
    await remove(context, made.id);
    await settle(context);
    expect(await groupsOf(context)).toEqual(before);
  });
});
