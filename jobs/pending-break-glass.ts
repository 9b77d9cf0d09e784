import { assessBreakGlass } from '../core/break-glass';
import type { Instant } from '../core/evidence';
import { breakGlass, type BreakGlass } from '../core/settings/stack';
import type { Memory } from '../engines/engine';

/*
 * A change that goes through under break-glass: the rest of its run knows it from here, and it is recorded on the next backup
 * set, whenever that is taken.
 */

export function describeGrant(grant: BreakGlass): string {
  return `${grant.reason} (approved by ${grant.approver}, ${grant.issued} to ${grant.expires})`;
}

export function rememberBreakGlass(memory: Memory, grant: BreakGlass): Promise<void> {
  return memory.write('break-glass', `${JSON.stringify({ grant })}\n`);
}

/** What the next backup set is to carry; undefined when there was no break-glass since the last one. */
export async function pendingBreakGlass(memory: Memory): Promise<string | undefined> {
  const grant = await read(memory);
  if (grant === undefined) return undefined;
  const { data } = breakGlass.safeParse(grant);
  // There was one, and a note that is damaged takes no backup away.
  return data === undefined ? 'a grant that can’t be read any more' : describeGrant(data);
}

/** The break-glass that a change of this run went through under; undefined without one, and once it has expired. */
export async function breakGlassInForce(memory: Memory, now: Instant): Promise<string | undefined> {
  const state = assessBreakGlass(await read(memory), now);
  return state.state === 'active' ? describeGrant(state.grant) : undefined;
}

export function forgetBreakGlass(memory: Memory): Promise<void> {
  return memory.write('break-glass', null);
}

/** The grant as it was noted, null when that is damaged; undefined when there is none. */
async function read(memory: Memory): Promise<unknown> {
  const text = await memory.read('break-glass');
  if (text === null) return undefined;
  try {
    return (JSON.parse(text) as { grant?: unknown }).grant ?? null;
  } catch {
    return null;
  }
}
