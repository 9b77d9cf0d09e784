import * as z from 'zod';
import { HoldfastError } from '../../core/errors';
import { after, milliseconds } from '../../core/time';
import type { RdsContext } from './context';
import {
  createParameter,
  deleteParameter,
  listParameters,
  parameterName,
  writeParameter,
} from './parameters';

/*
 * A lock is a row of parameters `lock/<name>/<generation>`; the newest one says who holds it and until when. To take a lock
 * is to create the next generation, which AWS lets only one do: of two that find the same expired lease, one fails.
 *
 * Who is slow between looking and creating may create a generation that is an old one by then; it looks again afterwards, and
 * gives up what isn't the newest. For that to be so, the newest one is never removed, only marked as free.
 *
 * What remains: who sleeps through its lease (a suspended laptop) and goes on doesn't know that another holds the lock by
 * then. All that is done under a lock is also safe by itself: snapshots are joined, swaps have a journal.
 */

const lease = z.strictObject({
  holder: z.string(),
  since: z.iso.datetime(),
  /** Null once it was released. */
  expires: z.iso.datetime().nullable(),
});

type Lease = z.output<typeof lease>;

/** Long enough for some failed renewals, short enough to wait for when a holder was killed. */
const leaseSeconds = 900;

export interface LockOptions {
  /** How often a lease is renewed. @default a third of it */
  readonly renewSeconds?: number;
}

/**
 * Runs `use` while holding a cluster's lock, whose lease is renewed meanwhile. Backups and restores share one.
 * @throws HoldfastError `busy` when it is held, saying by whom.
 */
export async function withClusterLock<T>(
  context: RdsContext,
  lock: 'backup' | 'restore' | 'schedule' | 'verification',
  holder: string,
  use: () => Promise<T>,
  { renewSeconds = leaseSeconds / 3 }: LockOptions = {},
): Promise<T> {
  const path = `lock/${lock === 'backup' || lock === 'restore' ? 'cluster' : lock}`;
  const held = await acquire(context, path, `${holder} (${lock})`);
  const write = (expires: string | null): Promise<void> =>
    writeParameter(context, held.name, JSON.stringify({ ...held.lease, expires }));
  let renewing = Promise.resolve();
  const timer = setInterval(() => {
    // The next one may succeed, and a lease that ends is looked at by whoever takes the lock then.
    renewing = renewing.then(() => write(after(context.clock.now(), leaseSeconds))).catch(() => undefined);
  }, renewSeconds * 1000);
  timer.unref();
  try {
    return await use();
  } finally {
    clearInterval(timer);
    // A renewal that arrives later would take the lock again.
    await renewing;
    // What can't be released is free when its lease ends; the job has done its work all the same.
    await write(null).catch(() => undefined);
  }
}

async function acquire(
  context: RdsContext,
  path: string,
  holder: string,
): Promise<{ readonly name: string; readonly lease: Lease }> {
  const newest = await newestGeneration(context, path);
  const since = context.clock.now();
  if (newest.lease?.expires && milliseconds(newest.lease.expires) > milliseconds(since))
    throw busy(context, path, newest.lease);
  const generation = newest.generation + 1;
  const name = `${path}/${generation}`;
  const own: Lease = { holder, since, expires: after(since, leaseSeconds) };
  const created = await createParameter(context, name, JSON.stringify(own));
  const now = await newestGeneration(context, path);
  if (created && now.generation === generation) {
    for (const older of now.older) await deleteParameter(context, `${path}/${older}`);
    return { name, lease: own };
  }
  if (created) await deleteParameter(context, name);
  throw busy(context, path, now.lease);
}

async function newestGeneration(
  context: RdsContext,
  path: string,
): Promise<{ readonly generation: number; readonly lease: Lease | null; readonly older: readonly string[] }> {
  const found = (await listParameters(context, path)).sort(
    (one, other) => Number(one.name) - Number(other.name),
  );
  const newest = found.pop();
  if (newest === undefined) return { generation: 0, lease: null, older: [] };
  return {
    generation: Number(newest.name),
    lease: parse(context, `${path}/${newest.name}`, newest.value),
    older: found.map(({ name }) => name),
  };
}

function parse(context: RdsContext, name: string, text: string): Lease {
  try {
    return lease.parse(JSON.parse(text));
  } catch (cause) {
    throw new HoldfastError('engine-failed', `the lock ${parameterName(context, name)} can’t be understood`, {
      hint: 'When no job of Holdfast runs on this cluster, delete this parameter.',
      cause,
    });
  }
}

function busy({ cluster }: RdsContext, path: string, held: Lease | null): HoldfastError {
  const who = held === null ? 'another process' : `${held.holder}, since ${held.since}`;
  return new HoldfastError('busy', `the ${path.replace('lock/', '')} lock of ${cluster} is held by ${who}`, {
    hint: 'Wait until it has ended, and try again. Of one that was killed the lock is free after 15 minutes.',
  });
}
