import * as z from 'zod';
import { HoldfastError } from '../../core/errors';
import type { RoleCredential } from '../../core/host-documents';
import type { HostSpecification } from '../../core/specification';
import { readIfThere, writeAtomically } from './files';
import type { ClusterPaths } from './layout';
import { newCredential } from './postgres/scram';

const credential = z.strictObject({ password: z.string().min(1), verifier: z.string().min(1) });
const document = z.strictObject({
  schema: z.literal(1),
  provider: credential,
  roles: z.record(z.string(), credential),
});

/** Passwords that were made on the cluster's machine and are kept there, 0600. */
export interface Credentials {
  readonly provider: RoleCredential;
  /** By role. */
  readonly roles: Readonly<Record<string, RoleCredential>>;
}

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

/**
 * The credentials of a cluster, with those that are missing made and kept. A role that left the specification keeps its
 * entry, because it may still exist on the server.
 */
export async function ensureCredentials(
  paths: Pick<ClusterPaths, 'credentials'>,
  specification: HostSpecification,
): Promise<Credentials> {
  const current = await readCredentials(paths);
  const provider = current?.provider ?? newCredential();
  const roles: Record<string, RoleCredential> = { ...current?.roles };
  for (const role of loginRoles(specification)) roles[role] ??= newCredential();
  const wanted = { schema: 1 as const, provider, roles };
  if (current === null || Object.keys(roles).length > Object.keys(current.roles).length)
    await writeAtomically(paths.credentials, `${JSON.stringify(wanted, null, 2)}\n`);
  return { provider, roles };
}
