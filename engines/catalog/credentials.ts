import * as z from 'zod';
import type { ClusterAccess, RoleCredential } from '../../core/host-documents';
import { providerRole } from '../../core/host-documents';
import { newCredential } from './scram';

export const credential = z.strictObject({ password: z.string().min(1), verifier: z.string().min(1) });

/** Passwords that were made for a cluster and are kept, so that each apply finds the same. */
export interface Credentials {
  readonly provider: RoleCredential;
  /** By role. */
  readonly roles: Readonly<Record<string, RoleCredential>>;
}

/**
 * The credentials of a cluster, with those that are missing made. A role that left the specification keeps its entry, because
 * it may still exist on the server.
 * @param logins the roles that log in.
 */
export function completed(current: Credentials | null, logins: readonly string[]): Credentials {
  const roles: Record<string, RoleCredential> = { ...current?.roles };
  for (const role of logins) roles[role] ??= newCredential();
  return { provider: current?.provider ?? newCredential(), roles };
}

/** What of the credentials an apply prints. Those that aren't there yet are left out. */
export function accessOf(
  { provider, roles }: Credentials,
  logins: readonly string[],
): Pick<ClusterAccess, 'provider' | 'roles'> {
  const known = logins.flatMap(role => {
    const found = roles[role];
    return found === undefined ? [] : [[role, found] as const];
  });
  return {
    provider: { username: providerRole, password: provider.password },
    roles: Object.fromEntries(known),
  };
}
