import { StopDBInstanceCommand } from '@aws-sdk/client-rds';
import type { Clone } from '../../engines/engine';
import { clones, dropClone } from '../../engines/rds/clone/catalog';
import { clone } from '../../engines/rds/clone/make';
import type { RdsContext } from '../../engines/rds/context';
import { evidence } from '../../engines/rds/evidence';
import { beginRecord, readRecord } from '../../engines/rds/record';
import { readJournal, writeJournal } from '../../engines/rds/replace/journal';
import { replaceWith, settle } from '../../engines/rds/replace/swap';
import { keys, tagsOf } from '../../engines/rds/tags';
import { judge } from '../../core/freshness';
import { deleteParameter } from '../../engines/rds/parameters';
import { patient } from '../support/engine';
import { expectReplaced, refuseRenaming, resourceIds, stage } from './replace-support';
import { cloneRequest, contextOf, createInstance, instances, limits, useAws, withElement } from './support';

const aws = useAws();

const mostStorage = /<MaxAllocatedStorage>[^<]*<.MaxAllocatedStorage>|<MaxAllocatedStorage ?\/>/g;

describe('a swap', () => {
  test('renames both: the endpoint stays, the original is kept, and the cluster is still itself', async () => {
    const staged = await stage();
    const { context, original, made } = staged;
    const watch = patient();
    const { keptAside } = await replaceWith(context, made).wait(watch);
    await expectReplaced(staged);
    expect(watch.steps).toEqual([`renaming shop-db to ${keptAside}`, `renaming ${made.id} to shop-db`]);
    const found = await instances(context);
    const aside = found.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === keptAside)!;
    expect(aside).toMatchObject({ DbiResourceId: original.DbiResourceId, DeletionProtection: true });
    expect(tagsOf(aside.TagList)).toMatchObject({ team: 'shop', [keys.replacedBy]: staged.cloneId });
    expect(tagsOf(aside.TagList)).not.toHaveProperty(keys.expires);
    const serving = found.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === 'shop-db')!;
    expect(serving).toMatchObject({
      DeletionProtection: true,
      BackupRetentionPeriod: 14,
      CopyTagsToSnapshot: true,
    });
    expect(tagsOf(serving.TagList)).toEqual({ team: 'shop' });
    expect(await clones(context)).toEqual([]);
    await expect(dropClone(context, 'shop-db')).rejects.toThrow('has no clone');
    const { findings } = judge(await evidence(context), limits);
    expect(findings.find(({ rule }) => rule === 'identity')!.verdict).toBe('fresh');
  });

  test('of a cluster that was restored before keeps all that it ever was', async () => {
    const { context, original, made, cloneId } = await stage();
    await replaceWith(context, made).wait(patient());
    const again = await clone(context, cloneRequest('restore', { type: 'latest' })).wait(patient());
    await replaceWith(context, again).wait(patient());
    const { 'shop-db': serving } = await resourceIds(context);
    expect(serving).not.toBe(cloneId);
    expect(await readRecord(context)).toMatchObject({
      identity: serving,
      lineage: [original.DbiResourceId, cloneId],
    });
  });

  test('blocks every change as long as it isn’t settled', async () => {
    const { context, made } = await stage();
    await replaceWith(context, made).poll();
    expect(judge(await evidence(context), limits)).toMatchObject({ verdict: 'unknown', letsThrough: null });
  });

  test('takes minutes on AWS: each look makes a step, or waits for one', async () => {
    const staged = await stage();
    const { context, made, original } = staged;
    const swapping = replaceWith(context, made);
    expect(await swapping.poll()).toMatchObject({ state: 'running' });
    const aside = (await readJournal(context))!.swap!.aside;
    aws.rewrite(
      /^DescribeDBInstances$/,
      withElement('DBInstance', made.id, 'DBInstanceStatus', 'backing-up'),
      1,
    );
    expect(await swapping.poll()).toMatchObject({
      progress: { step: `waiting for ${made.id} (backing-up) to become shop-db` },
    });
    refuseRenaming(aws, 'DBInstanceAlreadyExists', 1);
    expect(await swapping.poll()).toMatchObject({
      progress: { step: expect.stringContaining('waiting for') as string },
    });
    refuseRenaming(aws, 'InvalidDBInstanceState', 1);
    expect(await swapping.poll()).toMatchObject({
      progress: { step: expect.stringContaining('waiting for') as string },
    });
    expect(await swapping.poll()).toMatchObject({ progress: { step: `renaming ${made.id} to shop-db` } });
    aws.rewrite(
      /^DescribeDBInstances$/,
      withElement('DBInstance', 'shop-db', 'DBInstanceStatus', 'renaming'),
      1,
    );
    expect(await swapping.poll()).toMatchObject({ progress: { step: 'waiting for the restored shop-db' } });
    // The original is still at something when it is to be protected.
    aws.refuse(/^ModifyDBInstance$/, 'InvalidDBInstanceState', { times: 1 });
    expect(await swapping.poll()).toMatchObject({ progress: { step: `waiting for ${aside}` } });
    expect(await swapping.poll()).toEqual({ state: 'done', result: { keptAside: aside } });
    await expectReplaced(staged);
    expect((await resourceIds(context))[aside]).toBe(original.DbiResourceId);
    expect(await swapping.poll()).toMatchObject({ state: 'done' });
  });

  test.each([0, 1, 2])('killed after %d steps is finished by the next run', async steps => {
    const staged = await stage();
    const { context, made } = staged;
    if (steps === 0) {
      aws.refuse(/^DescribeDBInstances$/, 'Throttling', {
        times: 2,
        when: ({ body }) => body.includes('Filters'),
      });
      await expect(replaceWith(context, made).poll()).rejects.toMatchObject({ code: 'busy' });
    }
    const swapping = replaceWith(context, made);
    for (let step = 0; step < steps; step += 1) await swapping.poll();
    const said = await settle(contextOf());
    expect(said.at(-1)).toContain('was finished; the old instance is shop-db-aside-');
    await expectReplaced(staged);
    expect(await settle(context)).toEqual([]);
  });

  test('that is being finished by AWS is told, not waited for', async () => {
    const { context, made } = await stage();
    await replaceWith(context, made).poll();
    aws.rewrite(
      /^DescribeDBInstances$/,
      withElement('DBInstance', made.id, 'DBInstanceStatus', 'modifying'),
      1,
    );
    expect(await settle(context)).toEqual([expect.stringContaining('goes on: waiting for')]);
  });

  test('may be begun again with the same clone, by another process', async () => {
    const staged = await stage();
    await replaceWith(staged.context, staged.made).poll();
    await replaceWith(contextOf(), staged.made).wait(patient());
    await expectReplaced(staged);
  });

  test('that fails once the clone serves is finished, never undone', async () => {
    const staged = await stage();
    const { context, made } = staged;
    const swapping = replaceWith(context, made);
    aws.refuse(/^AddTagsToResource$/, 'AccessDenied');
    await expect(swapping.wait(patient())).rejects.toThrow(
      'finishing the restore of shop failed: AWS denies it',
    );
    expect((await readJournal(context))!.state).toBe('finishing');
    aws.heal();
    await settle(context);
    await expectReplaced(staged);
  });

  test('that may not be finished says so, and is finished once it may be', async () => {
    const staged = await stage();
    const { context, made } = staged;
    const element = '<MaxAllocatedStorage>500</MaxAllocatedStorage>';
    aws.rewrite(/^DescribeDBInstances$/, answer =>
      answer.replaceAll(mostStorage, '').replaceAll('</DBInstance>', `${element}</DBInstance>`),
    );
    aws.refuse(/^RemoveTagsFromResource$/, 'AccessDenied');
    await expect(replaceWith(context, made).wait(patient())).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('finishing the restore of shop failed') as string,
    });
    const bodies = aws.calls.map(({ body }) => body);
    expect(bodies.some(body => body.includes('MaxAllocatedStorage=500'))).toBe(true);
    aws.heal();
    expect((await settle(context)).at(-1)).toContain('was finished');
    await expectReplaced(staged);
  });

  test('of an instance whose storage doesn’t grow leaves it so', async () => {
    const staged = await stage();
    aws.rewrite(/^DescribeDBInstances$/, answer => answer.replaceAll(mostStorage, ''));
    await replaceWith(staged.context, staged.made).wait(patient());
    expect(aws.calls.some(({ body }) => body.includes('MaxAllocatedStorage'))).toBe(false);
    await expectReplaced(staged);
  });

  test('whose record is gone, or names the clone already, is finished all the same', async () => {
    const staged = await stage();
    const { context, made, cloneId } = staged;
    const swapping = replaceWith(context, made);
    await swapping.poll();
    const swap = (await readJournal(context))!.swap!;
    await swapping.wait(patient());
    await writeJournal(context, { state: 'finishing', securityGroups: null, swap });
    await settle(context);
    await expectReplaced(staged);
    await writeJournal(context, { state: 'finishing', securityGroups: null, swap });
    await deleteParameter(context, 'record');
    await settle(context);
    expect((await resourceIds(context))['shop-db']).toBe(cloneId);
    expect(await readJournal(context)).toBeNull();
  });

  describe('is refused', () => {
    const refused = async (context: RdsContext, made: Clone, said: string): Promise<void> => {
      await expect(replaceWith(context, made).poll()).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringContaining(said) as string,
        hint: expect.stringContaining('Nothing was changed') as string,
      });
      expect((await readJournal(context))?.state ?? 'moving').toBe('moving');
    };

    test('with a clone that is not there, not ready or not made to serve', async () => {
      const { context, made } = await stage('clone');
      await refused(context, { ...made, id: 'none' }, 'it is none of its clones');
      await createInstance(context, { DBInstanceIdentifier: 'stranger' });
      await refused(context, { ...made, id: 'stranger' }, 'it is none of its clones');
      await refused(context, made, 'it wasn’t made to serve');
      await context.rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier: made.id }));
      await refused(context, made, 'it is stopped');
    });

    test('while the original isn’t available', async () => {
      const { context, made } = await stage();
      await context.rds.send(new StopDBInstanceCommand({ DBInstanceIdentifier: 'shop-db' }));
      await refused(context, made, 'the original is stopped');
    });

    test('while an earlier one isn’t settled', async () => {
      const { context, made } = await stage();
      await replaceWith(context, made).poll();
      await refused(context, { ...made, id: 'another' }, 'an earlier restore is not settled yet');
    });
  });
});

test('a swap of what isn’t recorded is refused', async () => {
  const context = contextOf();
  await beginRecord(context, 'provisioning');
  const made = { id: 'x' } as Clone;
  await expect(replaceWith(context, made).poll()).rejects.toThrow('there is no instance');
});
