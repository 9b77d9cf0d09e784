import * as z from 'zod';
import { HoldfastError } from '../../core/errors';
import type { HostSpecification } from '../../core/specification';
import { completed, credential, type Credentials } from '../catalog/credentials';
import { readIfThere, writeAtomically } from './files';
import type { ClusterPaths } from './layout';

/* Passwords that were made on the cluster's machine are kept there, 0600. */

const document = z.strictObject({
  schema: z.literal(1),
  provider: credential,
  roles: z.record(z.string(), credential),
});

/** The roles of a specification that log in, in order. */
export function loginRoles(specification: HostSpecification): string[] {
  const roles = Object.values(specification.settings.databases).flatMap(database => [
    ...database.applicationRoles,
    ...database.readOnlyRoles,
  ]);
  return [...new Set(roles)].sort();
}

/**
 * The credentials of a cluster; null when none were made yet.
 * @throws HoldfastError `engine-failed` when they can't be read: made anew they would lock out whoever has the old ones.
 */
export async function readCredentials(paths: Pick<ClusterPaths, 'credentials'>): Promise<Credentials | null> {
  try {
    const text = await readIfThere(paths.credentials);
    return text === null ? null : document.parse(JSON.parse(text));
  } catch {
    // Without the cause: it could quote what it failed to parse.
    throw new HoldfastError('engine-failed', `${paths.credentials} can't be read or understood`, {
      hint: 'Bring it back from a copy; or delete it: the next `pulumi up` makes new passwords, and the old ones stop working.',
    });
  }
}

/** The credentials of a cluster, with those that are missing made and kept. */
export async function ensureCredentials(
  paths: Pick<ClusterPaths, 'credentials'>,
  specification: HostSpecification,
): Promise<Credentials> {
  const current = await readCredentials(paths);
  const wanted = completed(current, loginRoles(specification));
  if (current === null || Object.keys(wanted.roles).length > Object.keys(current.roles).length)
    await writeAtomically(paths.credentials, `${JSON.stringify({ schema: 1, ...wanted }, null, 2)}\n`);
  return wanted;
}
