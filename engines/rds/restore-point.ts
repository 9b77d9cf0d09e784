import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { optional } from './answers';
import { HoldfastError } from '../../core/errors';
import type { Instant } from '../../core/evidence';
import { after, milliseconds, secondsBetween } from '../../core/time';
import type { RestorePoint, Session } from '../engine';
import { automatedBackup } from './automated';
import type { RdsContext } from './context';
import { createParameter, deleteParameter, listParameters } from './parameters';
import { servingInstance } from './serving';
import { withInstance } from './session';

const path = 'restore-point';

/** RDS uploads WAL every five minutes (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIT.html). */
export const usualLagSeconds = 300;

const point = z.object({ name: z.string(), at: z.iso.datetime(), position: z.string() });

type Point = z.output<typeof point>;

/**
 * Marks a moment: a full second that has passed when this returns, because point-in-time recovery of RDS goes to a full
 * second. All that was committed before the call is in it, nothing that begins afterwards is. It can't be waited for until its
 * WAL is safe; until then a snapshot covers it, which is why every change on RDS gets one.
 */
export async function markRestorePoint(context: RdsContext, name: string): Promise<RestorePoint> {
  if (name === '' || Buffer.byteLength(name) > 63)
    throw new HoldfastError('configuration', `the name of a restore point has 1 to 63 bytes: "${name}"`);
  const { instance } = await servingInstance(context);
  const mark =
    (await withInstance(context, instance, 'postgres', session => markBySql(session, name)).catch(
      () => null,
    )) ?? (await markByClock(context));
  const value: Point = { name, ...mark };
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 8);
  await createParameter(context, `${path}/${mark.at.replaceAll(/\D/g, '')}-${hash}`, JSON.stringify(value));
  await forgetOld(context, optional(instance.DbiResourceId));
  return withPending(value, optional(instance.LatestRestorableTime?.toISOString()));
}

/** By the clock of the server, whose commits count. What stays open is only whether the point is in its WAL by name. */
async function markBySql(session: Session, name: string): Promise<Omit<Point, 'name'>> {
  // Master users may not have the right to it; the time is what recovery goes to.
  await session.query('select pg_create_restore_point($1)', [name]).catch(() => undefined);
  const [mark] = await session.query<{ at: Instant; position: string }>(
    `select to_char(second at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at,
            pg_current_wal_lsn()::text as position,
            pg_sleep_until(second)
       from (select date_trunc('second', clock_timestamp()) + interval '1 second' as second) as next`,
  );
  return { at: String(mark?.at), position: String(mark?.position) };
}

/** By AWS's clock, whose answers tell the second: the next one has begun for certain when it says the one after that. */
async function markByClock({ clock }: RdsContext): Promise<Omit<Point, 'name'>> {
  const now = clock.now();
  const at = new Date(Math.ceil(milliseconds(now) / 1000) * 1000 + 1000).toISOString();
  await sleep(secondsBetween(clock.now(), at) * 1000 + 1000);
  return { at, position: `time ${at}` };
}

/** The restore points that can still be reached, oldest first. */
export async function restorePoints(context: RdsContext): Promise<readonly RestorePoint[]> {
  const { instance } = await servingInstance(context);
  const [all, automated] = await Promise.all([
    listParameters(context, path),
    automatedBackup(context, optional(instance.DbiResourceId)),
  ]);
  const from = automated?.RestoreWindow?.EarliestTime?.getTime() ?? Infinity;
  const until = optional(instance.LatestRestorableTime?.toISOString());
  return all
    .flatMap(({ value }) => {
      const parsed = parse(value);
      return parsed !== null && milliseconds(parsed.at) >= from ? [withPending(parsed, until)] : [];
    })
    .sort((one, other) => milliseconds(one.at) - milliseconds(other.at));
}

/** What point-in-time recovery doesn't reach any more. */
async function forgetOld(context: RdsContext, resourceId: string | null): Promise<void> {
  const earliest = (await automatedBackup(context, resourceId))?.RestoreWindow?.EarliestTime;
  if (earliest === undefined) return;
  for (const { name, value } of await listParameters(context, path)) {
    const parsed = parse(value);
    if (parsed !== null && milliseconds(parsed.at) < earliest.getTime())
      await deleteParameter(context, `${path}/${name}`);
  }
}

function withPending(value: Point, until: Instant | null): RestorePoint {
  const covered = until !== null && milliseconds(until) >= milliseconds(value.at);
  return {
    ...value,
    archivedAfterSeconds: null,
    ...(covered
      ? {}
      : {
          pending: `point-in-time recovery reaches it from about ${after(value.at, usualLagSeconds)} on; until then only a snapshot does`,
        }),
  };
}

/** What isn't a restore point of ours can't be gone back to. */
function parse(text: string): Point | null {
  try {
    return point.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
