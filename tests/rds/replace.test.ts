import {
  DeleteDBInstanceCommand,
  DescribeDBInstancesCommand,
  ModifyDBInstanceCommand,
  StopDBInstanceCommand,
  type DBInstance,
} from '@aws-sdk/client-rds';
import type { Clone } from '../../engines/engine';
import { clones, dropClone } from '../../engines/rds/clone/catalog';
import { clone } from '../../engines/rds/clone/make';
import type { RdsContext } from '../../engines/rds/context';
import { evidence } from '../../engines/rds/evidence';
import { beginRecord, readRecord } from '../../engines/rds/record';
import { halt, resume } from '../../engines/rds/replace/halt';
import { readJournal, writeJournal } from '../../engines/rds/replace/journal';
import { replaceWith, settle } from '../../engines/rds/replace/swap';
import { keys, tagsOf } from '../../engines/rds/tags';
import { judge } from '../../core/freshness';
import { deleteParameter } from '../../engines/rds/parameters';
import { patient, soon } from '../support/engine';
import { startAws, type TestAws } from '../support/moto/moto';
import { removeTempDirs } from '../support/temp';
import { contextOf, createInstance, establish, withElement } from './support';

let aws: TestAws;
beforeAll(async () => {
  aws = await startAws();
});
beforeEach(() => aws.reset());
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

const quarantine = 'sg-0123456789abcdef0';

const mostStorage = /<MaxAllocatedStorage>[^<]*<.MaxAllocatedStorage>|<MaxAllocatedStorage ?\/>/g;

interface Stage {
  readonly context: RdsContext;
  readonly original: DBInstance;
  readonly made: Clone;
  readonly cloneId: string;
}

/** A cluster, and a clone of it that is to take its place. */
async function stage(purpose: 'clone' | 'restore' = 'restore'): Promise<Stage> {
  const context = contextOf({ quarantineSecurityGroup: quarantine });
  const original = await establish(context);
  const request = { target: { type: 'latest' }, purpose, expiresAt: soon() } as const;
  const made = await clone(context, request).wait(patient());
  const { [made.id]: cloneId = '' } = await names(context);
  return { context, original, made, cloneId };
}

async function instances({ rds }: RdsContext): Promise<DBInstance[]> {
  return (await rds.send(new DescribeDBInstancesCommand({}))).DBInstances ?? [];
}

/** Resource ids by identifier. */
async function names(context: RdsContext): Promise<Record<string, string>> {
  return Object.fromEntries(
    (await instances(context)).map(each => [each.DBInstanceIdentifier!, each.DbiResourceId!]),
  );
}

const remove = async (context: RdsContext, id: string): Promise<void> => {
  await context.rds.send(
    new ModifyDBInstanceCommand({ DBInstanceIdentifier: id, DeletionProtection: false }),
  );
  await context.rds.send(new DeleteDBInstanceCommand({ DBInstanceIdentifier: id, SkipFinalSnapshot: true }));
};

/** Refuses only the renaming among the modifications. */
function refuseRenaming(error: string, times: number): void {
  aws.refuse(/^ModifyDBInstance$/, error, {
    times,
    when: ({ body }) => body.includes('NewDBInstanceIdentifier='),
  });
}

async function expectReplaced({ context, original, cloneId }: Stage): Promise<void> {
  const found = await names(context);
  expect(found['shop-db']).toBe(cloneId);
  expect(await readJournal(context)).toBeNull();
  expect(await readRecord(context)).toMatchObject({ identity: cloneId, lineage: [original.DbiResourceId] });
}

async function expectUndone({ context, original, cloneId, made }: Stage): Promise<void> {
  const found = await names(context);
  expect(found['shop-db']).toBe(original.DbiResourceId);
  if (made.id in found) expect(found[made.id]).toBe(cloneId);
  expect(await readJournal(context)).toBeNull();
  expect(await readRecord(context)).toMatchObject({ identity: original.DbiResourceId, lineage: [] });
}

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
    const limits = { maximumAge: 93_600, verificationMaximumAge: 604_800, rpo: 600, rto: 3600 };
    const { findings } = judge(await evidence(context), limits);
    expect(findings.find(({ rule }) => rule === 'identity')!.verdict).toBe('fresh');
  });

  test('blocks every change as long as it isn’t settled', async () => {
    const { context, made } = await stage();
    await replaceWith(context, made).poll();
    const limits = { maximumAge: 93_600, verificationMaximumAge: 604_800, rpo: 600, rto: 3600 };
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
    refuseRenaming('DBInstanceAlreadyExists', 1);
    expect(await swapping.poll()).toMatchObject({
      progress: { step: expect.stringContaining('waiting for') as string },
    });
    refuseRenaming('InvalidDBInstanceState', 1);
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
    expect((await names(context))[aside]).toBe(original.DbiResourceId);
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

  test('that fails before the clone serves is undone, and says why', async () => {
    const staged = await stage();
    const { context, made } = staged;
    const swapping = replaceWith(context, made);
    await swapping.poll();
    refuseRenaming('AccessDenied', 1);
    const watch = patient();
    await expect(swapping.wait(watch)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(
        /was undone, the original is in its place: renaming .* AWS denies it/,
      ) as string,
      hint: 'Allow it in the IAM policy of who asks.',
    });
    await expectUndone(staged);
  });

  test.each([
    ['is gone', (context: RdsContext, id: string) => remove(context, id)],
    [
      'is broken',
      (_: RdsContext, id: string) => {
        aws.rewrite(/^DescribeDBInstances$/, withElement('DBInstance', id, 'DBInstanceStatus', 'failed'), 1);
        return Promise.resolve();
      },
    ],
  ])('whose clone %s is undone', async (_, spoil) => {
    const staged = await stage();
    const { context, made } = staged;
    await replaceWith(context, made).poll();
    await spoil(context, made.id);
    const said = await settle(context);
    expect(said.at(-1)).toContain('was undone: the original is in its place');
    await expectUndone(staged);
  });

  test('that another process finished is done; one that another undid has failed', async () => {
    const staged = await stage();
    const { context, made } = staged;
    const finished = replaceWith(context, made);
    await finished.poll();
    await settle(contextOf());
    expect(await finished.poll()).toMatchObject({ state: 'done' });

    await aws.reset();
    const other = await stage();
    const undone = replaceWith(other.context, other.made);
    await undone.poll();
    await remove(other.context, other.made.id);
    await settle(contextOf());
    await expect(undone.poll()).rejects.toThrow('another process undid it');
  });

  test('that is being undone goes on so, from wherever it was', async () => {
    const staged = await stage();
    const { context, made } = staged;
    const swapping = replaceWith(context, made);
    await swapping.poll();
    await swapping.poll();
    const journal = (await readJournal(context))!;
    await writeJournal(context, { ...journal, state: 'undoing' });
    let shown = 0;
    aws.rewrite(/^DescribeDBInstances$/, answer =>
      answer.includes(`>${made.id}<`) && shown++ === 1
        ? withElement('DBInstance', 'shop-db', 'DBInstanceStatus', 'renaming')(answer)
        : answer,
    );
    const said = await settle(context);
    expect(said.at(-1)).toContain('goes on: waiting for shop-db');
    expect((await settle(context)).at(-1)).toContain('was undone');
    await expectUndone(staged);
  });

  test('can’t be undone without the original, and is finished without it', async () => {
    const staged = await stage();
    const { context, made, original } = staged;
    await replaceWith(context, made).poll();
    const journal = (await readJournal(context))!;
    await remove(context, journal.swap!.aside);
    await writeJournal(context, { ...journal, state: 'undoing' });
    await expect(settle(context)).rejects.toThrow(`the original ${String(original.DbiResourceId)} is gone`);
    await writeJournal(context, { ...journal, state: 'moving' });
    await settle(context);
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
    expect((await names(context))['shop-db']).toBe(cloneId);
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
    const request = { target: { type: 'latest' }, purpose: 'restore', expiresAt: soon() } as const;
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
    const request = { target: { type: 'latest' }, purpose: 'restore', expiresAt: soon() } as const;
    const made = await clone(context, request).wait(patient());
    await replaceWith(context, made).poll();
    await remove(context, made.id);
    await settle(context);
    expect(await groupsOf(context)).toEqual(before);
  });
});

test('a swap of what isn’t recorded is refused', async () => {
  const context = contextOf();
  await beginRecord(context, 'provisioning');
  const made = { id: 'x' } as Clone;
  await expect(replaceWith(context, made).poll()).rejects.toThrow('there is no instance');
});
