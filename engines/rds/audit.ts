import {
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import { HoldfastError } from '../../core/errors';
import { logGroupName } from '../../core/rds/names';
import { milliseconds } from '../../core/time';
import type { RdsContext } from './context';
import { alreadyExists, failed, isNotFound } from './failure';
import { readRecord } from './record';

/*
 * The audit log of a cluster is a log group of CloudWatch, which nobody can change what is in. It is kept for ever, unless
 * a retention is set on the group.
 */

const stream = 'audit';

const groupOf = ({ cluster }: RdsContext): string => logGroupName(cluster, 'audit');

/**
 * Adds a line; makes the log group for it where there is none yet.
 * @returns false for a cluster that isn't recorded: it gets no log
 * @throws HoldfastError when the line did not arrive
 */
export async function appendAudit(context: RdsContext, line: string): Promise<boolean> {
  try {
    if (await put(context, line)) return true;
    if ((await readRecord(context)) === null) return false;
    await makeLog(context);
    await put(context, line);
    return true;
  } catch (error) {
    throw failed(`writing into the audit log ${groupOf(context)}`, error);
  }
}

/** @returns whether there is a log to write into */
async function put(context: RdsContext, line: string): Promise<boolean> {
  const event = { timestamp: milliseconds(context.clock.now()), message: line };
  try {
    const { rejectedLogEventsInfo: rejected } = await context.logs.send(
      new PutLogEventsCommand({
        logGroupName: groupOf(context),
        logStreamName: stream,
        logEvents: [event],
      }),
    );
    if (rejected === undefined) return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
  throw new HoldfastError('engine-failed', 'AWS rejects the line: its time is too far from now', {
    hint: 'Set the clock of this machine right.',
  });
}

async function makeLog(context: RdsContext): Promise<void> {
  const { logs } = context;
  const group = { logGroupName: groupOf(context) };
  const made = (error: unknown): void => {
    if (!alreadyExists(error)) throw error;
  };
  await logs.send(new CreateLogGroupCommand(group)).catch(made);
  await logs.send(new CreateLogStreamCommand({ ...group, logStreamName: stream })).catch(made);
}
