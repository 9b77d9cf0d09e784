import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import { evidence } from '../../engines/rds/evidence';
import { listParameters, writeParameter } from '../../engines/rds/parameters';
import { decodeText, decodeVerification, encodeText, keys, tagsOf } from '../../engines/rds/tags';
import { lastCounts, recordVerification } from '../../engines/rds/verification';
import { contextOf, createInstance, createSnapshot, establish, tag, useAws } from './support';

const aws = useAws();

/** The names of all parameters below a path, at whatever depth. */
const storedBelow = async (context: ReturnType<typeof contextOf>, path: string) => {
  const { Parameters: found } = await context.ssm.send(
    new GetParametersByPathCommand({ Path: `/holdfast/shop/${path}`, Recursive: true }),
  );
  return found!.map(({ Name }) => Name);
};

describe('a verification', () => {
  const passed = (at: string) => ({
    result: 'passed' as const,
    at,
    restoreSeconds: 1500.5,
    replayBytesPerSecond: null,
    reason: null,
  });
  const at = new Date(Date.now() - 60_000).toISOString();

  test('is kept on its snapshot, with its counts', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    expect(await lastCounts(context)).toBeNull();
    await recordVerification(context, 'one', passed(at), { 'shop.app.orders': 7 });
    expect((await evidence(context)).backups.at(-1)!.verification).toEqual(passed(at));
    expect(await lastCounts(context)).toEqual({ 'shop.app.orders': 7 });
  });

  test('that failed says why, and the counts of the last that passed stay', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    await createSnapshot(context, 'two');
    await recordVerification(context, 'one', passed(at), { 'shop.app.orders': 7 });
    const failure = {
      ...passed(new Date().toISOString()),
      result: 'failed' as const,
      reason: '“orders” has 0 rows; < 7',
    };
    await recordVerification(context, 'two', failure, {});
    expect((await evidence(context)).backups.at(-1)!.verification).toEqual(failure);
    expect(await lastCounts(context)).toEqual({ 'shop.app.orders': 7 });
  });

  test('takes the place of the older one’s counts', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    await createSnapshot(context, 'two');
    await recordVerification(context, 'two', passed(at), { a: 1 });
    await recordVerification(context, 'one', passed(new Date().toISOString()), { a: 2 });
    expect(await lastCounts(context)).toEqual({ a: 2 });
    const [counts, ...others] = await listParameters(context, 'counts');
    expect(others).toEqual([]);
    await writeParameter(context, `counts/${counts!.name}`, 'forged');
    expect(await lastCounts(context)).toBeNull();
  });

  test('keeps the counts of however many tables', async () => {
    const context = contextOf();
    await establish(context);
    await createSnapshot(context, 'one');
    const many = Object.fromEntries(
      Array.from({ length: 3000 }, (_, i) => [`shop.app.table_${(i * 7919) % 3001}_${i ** 3}`, i]),
    );
    await recordVerification(context, 'one', passed(at), many);
    expect(await lastCounts(context)).toEqual(many);
    await recordVerification(context, 'one', passed(at), {});
    expect(await lastCounts(context)).toEqual({});
    expect(await storedBelow(context, 'counts')).toHaveLength(1);
  });

  test('of a snapshot that is gone, or whose tags don’t arrive, is not kept', async () => {
    const context = contextOf();
    await establish(context);
    await expect(recordVerification(context, 'one', passed(at), {})).rejects.toThrow('has no snapshot one');
    await createSnapshot(context, 'one');
    aws.refuse(/^AddTags/, 'AccessDenied');
    await expect(recordVerification(context, 'one', passed(at), {})).rejects.toThrow(
      'tagging the snapshot one',
    );
    aws.heal();
    aws.rewrite(/^DescribeDBSnapshots$/, answer => answer.replaceAll('holdfast:verified-at', 'other'));
    await expect(recordVerification(context, 'one', passed(at), {})).rejects.toThrow('could not be kept');
  });

  test.each([
    {},
    { [keys.result]: 'passed' },
    { [keys.result]: 'passed', [keys.at]: at },
    { [keys.result]: 'passed', [keys.at]: at, [keys.restoreSeconds]: 'long' },
    { [keys.result]: 'perhaps', [keys.at]: at, [keys.restoreSeconds]: '1' },
  ])('is none when its tags are %j', tags => {
    expect(decodeVerification(tags)).toBeNull();
  });
});

describe('text in a tag', () => {
  test.each(['plain', 'a_b.c:d/e=f+g-h@i', '“quoted” & <ä>, 100 %', '🐘'])('%s comes back', text => {
    const encoded = encodeText(text);
    expect(encoded).toMatch(/^[A-Za-z0-9 _.:/=+@-]*$/);
    expect(decodeText(encoded)).toBe(text);
  });

  test('is one line of at most 256 characters, cut between characters', async () => {
    expect(encodeText(' a\n\tb ')).toBe('a b');
    const encoded = encodeText('ä'.repeat(100));
    expect(encoded).toHaveLength(252);
    expect(decodeText(encoded)).toBe('ä'.repeat(42));
    const context = contextOf();
    const { DBInstanceArn } = await createInstance(context);
    await tag(context, DBInstanceArn!, { key: encoded });
    expect(tagsOf(undefined)).toEqual({});
    expect(tagsOf([{ Key: 'a' }])).toEqual({ a: '' });
  });
});
