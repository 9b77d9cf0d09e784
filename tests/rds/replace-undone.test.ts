import type { RdsContext } from '../../engines/rds/context';
import { readJournal, writeJournal } from '../../engines/rds/replace/journal';
import { replaceWith, settle } from '../../engines/rds/replace/swap';
import { patient } from '../support/engine';
import { expectReplaced, expectUndone, refuseRenaming, remove, stage } from './replace-support';
import { contextOf, useAws, withElement } from './support';

const aws = useAws();

describe('a swap', () => {
  test('that fails before the clone serves is undone, and says why', async () => {
    const staged = await stage();
    const { context, made } = staged;
    const swapping = replaceWith(context, made);
    await swapping.poll();
    refuseRenaming(aws, 'AccessDenied', 1);
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
});
