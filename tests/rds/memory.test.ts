import {
  FilterLogEventsCommand,
  DescribeLogGroupsCommand,
  CreateLogGroupCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { GetParametersByPathCommand } from '@aws-sdk/client-ssm';
import type { RdsContext } from '../../engines/rds/context';
import { awsMemory } from '../../engines/rds/memory';
import { deleteParameter } from '../../engines/rds/parameters';
import { beginRecord } from '../../engines/rds/record';
import { startAws, type TestAws } from '../support/moto/moto';
import { removeTempDirs } from '../support/temp';
import { contextOf } from './support';

let aws: TestAws;
beforeAll(async () => {
  aws = await startAws();
});
beforeEach(() => aws.reset());
afterAll(async () => {
  await aws.stop();
  removeTempDirs();
});

/** The names of all parameters of the cluster. */
async function stored({ ssm }: RdsContext): Promise<string[]> {
  const { Parameters: found } = await ssm.send(
    new GetParametersByPathCommand({ Path: '/holdfast/shop', Recursive: true }),
  );
  return found!.map(({ Name }) => Name!.slice('/holdfast/shop/'.length)).sort();
}

/** A text that compression does little to. */
const long = (seed: number): string =>
  Array.from({ length: 4000 }, (_, i) => ((i * 7919 + seed) ** 3 % 1_000_003).toString(36)).join('');

describe('what is remembered', () => {
  test('is a parameter that a person can read, until it is forgotten', async () => {
    const context = contextOf();
    const memory = awsMemory(context);
    expect(await memory.read('due')).toBeNull();
    await memory.write('due', '{"schema":1}\n');
    expect(await memory.read('due')).toBe('{"schema":1}\n');
    expect(await stored(context)).toEqual(['due']);
    aws.calls.length = 0;
    await memory.write('due', '{"schema":1}\n');
    expect(aws.calls.map(({ action }) => action)).not.toContain('PutParameter');
    await memory.write('due', null);
    await memory.write('due', null);
    expect(await memory.read('due')).toBeNull();
    await memory.rotateLogs();
  });

  test('may be of any length, and leaves nothing of what it was before', async () => {
    const context = contextOf();
    const memory = awsMemory(context);
    await memory.write('due', long(1));
    expect(await memory.read('due')).toBe(long(1));
    const parts = await stored(context);
    expect(parts.length).toBeGreaterThan(3);
    await memory.write('due', long(1));
    expect(await stored(context)).toEqual(parts);
    await memory.write('due', long(2));
    expect(await memory.read('due')).toBe(long(2));
    expect(await stored(context)).not.toEqual(expect.arrayContaining([parts[1]]));
    await memory.write('due', 'short');
    expect(await stored(context)).toEqual(['due']);
    await memory.write('due', long(3));
    await memory.write('due', null);
    expect(await stored(context)).toEqual([]);
  });

  test('may have what AWS would take for a reference to another parameter', async () => {
    const memory = awsMemory(contextOf());
    await memory.write('break-glass', '{"reason":"{{ticket}}"}');
    expect(await memory.read('break-glass')).toBe('{"reason":"{{ticket}}"}');
  });

  test('and of which parts are gone is not taken for nothing', async () => {
    const context = contextOf();
    const memory = awsMemory(context);
    await memory.write('due', long(1));
    await deleteParameter(
      context,
      (await stored(context)).find(name => name.endsWith('/1'))!,
    );
    await expect(memory.read('due')).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'parts of /holdfast/shop/due are missing',
    });
  });

  test('can’t be told when AWS denies it', async () => {
    aws.refuse(/^GetParameters$/, 'AccessDeniedException');
    await expect(awsMemory(contextOf()).read('due')).rejects.toMatchObject({ code: 'configuration' });
  });
});

describe('the audit log', () => {
  const lines = async ({ logs }: RdsContext): Promise<(string | undefined)[]> => {
    const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: '/holdfast/shop/audit' }));
    return events!.map(({ message }) => message);
  };

  test('is a log group that is made with its first line, and only grows', async () => {
    const context = contextOf();
    await beginRecord(context, 'provisioning');
    const memory = awsMemory(context);
    expect(await memory.appendAudit('{"what":"one"}')).toBe(true);
    expect(await memory.appendAudit('{"what":"two"}')).toBe(true);
    expect(await lines(context)).toEqual(['{"what":"one"}', '{"what":"two"}']);
  });

  test('may have been made by somebody else, with a retention for example', async () => {
    const context = contextOf();
    await beginRecord(context, 'provisioning');
    await context.logs.send(new CreateLogGroupCommand({ logGroupName: '/holdfast/shop/audit' }));
    expect(await awsMemory(context).appendAudit('{}')).toBe(true);
    expect(await lines(context)).toEqual(['{}']);
  });

  test('isn’t made for a cluster that was never provisioned', async () => {
    const context = contextOf();
    expect(await awsMemory(context).appendAudit('{}')).toBe(false);
    const { logGroups } = await context.logs.send(new DescribeLogGroupsCommand({}));
    expect(logGroups).toEqual([]);
  });

  test.each([
    ['AWS denies it', /^PutLogEvents$/, 'AccessDeniedException', 'configuration'],
    ['the group can’t be made', /^CreateLogGroup$/, 'LimitExceededException', 'engine-failed'],
  ])('that can’t be written to is said, when %s', async (_, action, error, code) => {
    const context = contextOf();
    await beginRecord(context, 'provisioning');
    aws.refuse(action, error);
    await expect(awsMemory(context).appendAudit('{}')).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/writing into the audit log \/holdfast\/shop\/audit failed/) as string,
    });
  });

  test('says it when a line was rejected, which AWS calls a success', async () => {
    const context = contextOf();
    await beginRecord(context, 'provisioning');
    await awsMemory(context).appendAudit('{}');
    aws.rewrite(/^PutLogEvents$/, () =>
      JSON.stringify({ rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1 } }),
    );
    await expect(awsMemory(context).appendAudit('{}')).rejects.toThrow('its time is too far from now');
  });
});
