import { Client } from 'pg';
import { HoldfastError } from '../../../core/errors';
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

/**
 * Proves that the provider can log in: an adopted cluster's pg_hba.conf is its owner's.
 * @throws HoldfastError `check-failed` with the line that is missing there.
 */
export async function assertProviderLogin(cluster: string, port: number, password: string): Promise<void> {
  const host = '127.0.0.1';
  const client = new Client({
    host,
    port,
    user: providerRole,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    throw new HoldfastError(
      'check-failed',
      `${providerRole} can't log in to cluster ${cluster} at ${host}:${port}: ${(error as Error).message}`,
      {
        hint: `Its databases and roles are managed over TCP: let it listen on loopback, and add \`host all ${providerRole} ${host}/32 scram-sha-256\` to its pg_hba.conf.`,
        cause: error,
      },
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
