import { providerRole } from '../../../core/host-documents';
import type { Session } from '../../engine';
import { quietly } from '../postgres/quiet';

/**
 * Sees to the login role of the PostgreSQL provider: it creates roles and databases, and is no superuser. Only the verifier
 * of its password is sent.
 * @returns whether something changed.
 */
export async function ensureProviderRole(session: Session, verifier: string): Promise<boolean> {
  const rows = await session.query<{ right: boolean }>(
    `select rolcanlogin and rolcreaterole and rolcreatedb and not rolsuper and not rolreplication and not rolbypassrls
       and coalesce(rolvaliduntil, 'infinity') = 'infinity' and rolpassword is not distinct from $2 as right
     from pg_authid where rolname = $1`,
    [providerRole, verifier],
  );
  const [found] = rows;
  if (found?.right === true) return false;
  // Statements that set passwords can't have parameters; a verifier has no characters that would have to be quoted.
  const attributes = `login createrole createdb nosuperuser noreplication nobypassrls valid until 'infinity' password '${verifier}'`;
  await quietly(
    session,
    found === undefined
      ? `create role ${providerRole} ${attributes}`
      : `alter role ${providerRole} ${attributes}`,
  );
  return true;
}
