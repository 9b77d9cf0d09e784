import { HoldfastError } from '../../../core/errors';
import { providerRole, type Drift, type RoleCredential } from '../../../core/host-documents';
import type { DatabasePlan } from '../../../core/catalog';
import type { Session } from '../../engine';
import { logsIn } from '../session';
import type { Reached } from './reach';

/*
 * The role that the PostgreSQL provider logs in as. The master user makes it, which is no superuser either: it may neither read
 * verifiers (whether a password is right is known by logging in) nor keep statements out of the log. What is in them is a
 * verifier, which opens nothing.
 */

/** https://www.postgresql.org/docs/16/release-16.html: to grant a role takes ADMIN OPTION on it, CREATEROLE isn't enough. */
const needsAdminOption = 160_000;

/**
 * Sees to the role, its password, and that the master user is a member of it: so it may create extensions in databases whose
 * owners the provider makes, and hand over what the provider owns.
 * @returns whether something changed.
 */
export async function ensureProviderRole(reached: Reached, credential: RoleCredential): Promise<boolean> {
  const right = await isRight(reached, credential);
  await reached.open('postgres', async session => {
    const [found] = await session.query(`select from pg_roles where rolname = $1`, [providerRole]);
    // Statements that set passwords can't have parameters; a verifier has no characters that would have to be quoted.
    if (!right)
      await session.query(
        `${found === undefined ? 'create' : 'alter'} role ${providerRole} login createrole createdb valid until 'infinity' password '${credential.verifier}'`,
      );
    const [may] = await session.query<{ masterUseIt: boolean; itConnect: boolean }>(
      `select pg_has_role(current_user, $1, 'USAGE') as "masterUseIt",
              has_database_privilege($1, 'postgres', 'CONNECT') as "itConnect"`,
      [providerRole],
    );
    if (may?.masterUseIt !== true) await session.query(`grant ${providerRole} to current_user`);
    // Where PUBLIC was shut out of the database that the provider begins in.
    if (may?.itConnect !== true) await session.query(`grant connect on database postgres to ${providerRole}`);
  });
  return !right;
}

/** What of the role was changed by hand. */
export async function providerDrift(reached: Reached, credential: RoleCredential): Promise<Drift[]> {
  if (await isRight(reached, credential)) return [];
  return [
    {
      what: `roles.${providerRole}`,
      expected: 'it logs in, creates roles and databases',
      found: 'it doesn’t, or its password was changed',
    },
  ];
}

async function isRight({ connect, open }: Reached, { password }: RoleCredential): Promise<boolean> {
  const [found] = await open('postgres', session =>
    session.query<{ right: boolean }>(
      `select rolcanlogin and rolcreaterole and rolcreatedb and coalesce(rolvaliduntil, 'infinity') = 'infinity' as right
       from pg_roles where rolname = $1`,
      [providerRole],
    ),
  );
  return found?.right === true && (await logsIn(connect, { username: providerRole, password }));
}

/**
 * Lets the provider grant roles that are there already and that it didn't make: since PostgreSQL 16 that has to be said.
 * @throws HoldfastError `refused` for a role that the master user has no say over either.
 */
export async function handOverRoles({ open }: Reached, plans: readonly DatabasePlan[]): Promise<void> {
  const names = plans.flatMap(({ owner, objectOwner }) => [owner, objectOwner]);
  await open('postgres', async session => {
    const roles = await session.query<{ name: string }>(
      `select rolname as name from pg_roles
       where current_setting('server_version_num')::int >= $1 and rolname = any($2)
         and not pg_has_role($3, oid, 'MEMBER WITH ADMIN OPTION') order by 1`,
      [needsAdminOption, names, providerRole],
    );
    for (const { name } of roles) await handOver(session, name);
  });
}

async function handOver(session: Session, role: string): Promise<void> {
  try {
    await session.query(`grant "${role}" to ${providerRole} with admin option`);
  } catch (cause) {
    throw new HoldfastError(
      'refused',
      `the role ${role} is there already, and the master user may not hand it over: ${(cause as Error).message}`,
      {
        hint: `Have the role that made it run: grant "${role}" to ${providerRole} with admin option;`,
        cause,
      },
    );
  }
}
