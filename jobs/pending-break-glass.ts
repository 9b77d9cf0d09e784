import fs from 'node:fs/promises';
import path from 'node:path';
import { assessBreakGlass } from '../core/break-glass';
import type { Instant } from '../core/evidence';
import { breakGlass, type BreakGlass } from '../core/settings/stack';
import { writeAtomically } from './files';

/*
 * A change that goes through under break-glass: the rest of its run knows it from here, and it is recorded on the next backup
 * set, whenever that is taken.
 */

const file = (directory: string): string => path.join(directory, 'break-glass.json');

export function describeGrant(grant: BreakGlass): string {
  return `${grant.reason} (approved by ${grant.approver}, ${grant.issued} to ${grant.expires})`;
}

export function rememberBreakGlass(directory: string, grant: BreakGlass): Promise<void> {
  return writeAtomically(file(directory), `${JSON.stringify({ grant })}\n`);
}

/** What the next backup set is to carry; undefined when there was no break-glass since the last one. */
export async function pendingBreakGlass(directory: string): Promise<string | undefined> {
  const grant = await read(directory);
  if (grant === undefined) return undefined;
  const { data } = breakGlass.safeParse(grant);
  // There was one, and a file that is damaged takes no backup away.
  return data === undefined ? 'a grant that can’t be read any more' : describeGrant(data);
}

/** The break-glass that a change of this run went through under; undefined without one, and once it has expired. */
export async function breakGlassInForce(directory: string, now: Instant): Promise<string | undefined> {
  const state = assessBreakGlass(await read(directory), now);
  return state.state === 'active' ? describeGrant(state.grant) : undefined;
}

export function forgetBreakGlass(directory: string): Promise<void> {
  return fs.rm(file(directory), { force: true });
}

/** The grant as it stands in the file, null when that is damaged; undefined when there is none. */
async function read(directory: string): Promise<unknown> {
  let text: string;
  try {
    text = await fs.readFile(file(directory), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return (JSON.parse(text) as { grant?: unknown }).grant ?? null;
  } catch {
    return null;
  }
}
