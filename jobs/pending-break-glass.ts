import fs from 'node:fs/promises';
import path from 'node:path';
import type { BreakGlass } from '../core/settings/stack';
import { writeAtomically } from './files';

/*
 * A change that went through under break-glass is recorded on the next backup set, whenever that is taken.
 */

const file = (directory: string): string => path.join(directory, 'break-glass.json');

export function describeGrant(grant: BreakGlass): string {
  return `${grant.reason} (approved by ${grant.approver}, ${grant.issued} to ${grant.expires})`;
}

export function rememberBreakGlass(directory: string, grant: BreakGlass): Promise<void> {
  return writeAtomically(file(directory), `${JSON.stringify({ grant: describeGrant(grant) })}\n`);
}

/** What the next backup set is to carry; undefined when there was no break-glass since the last one. */
export async function pendingBreakGlass(directory: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await fs.readFile(file(directory), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return (JSON.parse(text) as { grant: string }).grant;
  } catch {
    // There was one, and a file that is damaged takes no backup away.
    return 'a grant that can’t be read any more';
  }
}

export function forgetBreakGlass(directory: string): Promise<void> {
  return fs.rm(file(directory), { force: true });
}
