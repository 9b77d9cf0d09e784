import { ModifyDBInstanceCommand, StopDBInstanceCommand } from '@aws-sdk/client-rds';
import { cloneInstances, clones, dropClone } from '../../engines/rds/clone/catalog';
import { clone } from '../../engines/rds/clone/make';
import { writeJournal } from '../../engines/rds/replace/journal';
import { keys } from '../../engines/rds/tags';
import { patient } from '../support/engine';
import {
  cloneRequest,
  contextOf,
  createInstance,
  establish,
  instanceNamed,
  instances,
  tag,
  useAws,
  withElement,
} from './support';

const aws = useAws();

const latest = { type: 'latest' } as const;

describe('dropping a clone', () => {
  async function made(purpose: 'clone' | 'verification' = 'clone', settings = {}) {
    const context = contextOf(settings);
    await establish(context);
    return { context, clone: await clone(context, cloneRequest(purpose, latest)).wait(patient()) };
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
    const original = await instanceNamed(context, 'shop-db');
    await tag(context, original.DBInstanceArn!, { [keys.cloneOf]: 'shop' });
    await expect(dropClone(context, 'shop-db')).rejects.toMatchObject({
      hint: expect.stringContaining('not touched') as string,
    });
    expect((await cloneInstances(context)).map(({ DBInstanceIdentifier: id }) => id)).toEqual([dropped.id]);
    expect(await instances(context)).toHaveLength(4);
  });

  test('waits for one that is being made, but not for one that was given up', async () => {
    const { context, clone: dropped } = await made();
    const { DBInstanceArn } = await instanceNamed(context, dropped.id);
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
    const { DbiResourceId } = await instanceNamed(context, dropped.id);
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
