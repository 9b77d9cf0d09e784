import { readFile } from 'node:fs/promises';
import { checkServerIdentity, type ConnectionOptions, type PeerCertificate } from 'node:tls';
import type { DBInstance } from '@aws-sdk/client-rds';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { Client } from 'pg';
import * as z from 'zod';
import { HoldfastError } from '../../core/errors';
import type { Session } from '../engine';
import type { RdsContext } from './context';
import { failed } from './failure';

const secret = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** As whom one logs in. */
export type Login = Readonly<z.output<typeof secret>>;

/** Runs `use` with a connection to a database of an instance; it is closed afterwards. */
export type Connect = <T>(
  login: Login,
  database: string,
  use: (session: Session) => Promise<T>,
) => Promise<T>;

/** Where something leads to the endpoint of an instance. */
interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Runs `use` with a connection to a database of an instance, as its master user.
 * @throws HoldfastError `engine-failed` when the server doesn't answer from here; what `use` throws passes through.
 */
export async function withInstance<T>(
  context: RdsContext,
  instance: DBInstance,
  database: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const connect = await connectorTo(context, instance);
  return connect(await masterLogin(context, instance), database, use);
}

/**
 * Connects to an instance over TLS whose certificate is checked. Nothing of the environment (PGOPTIONS, PGSSLMODE,
 * PGPASSWORD…) bends it.
 * @param through what leads to its endpoint, whose certificate is expected there as well. @default the endpoint
 */
export async function connectorTo(
  context: RdsContext,
  instance: DBInstance,
  through?: Address,
): Promise<Connect> {
  const endpoint = endpointOf(instance);
  const ca = await authorities(context);
  const ssl = {
    rejectUnauthorized: true,
    checkServerIdentity: (_: string, certificate: PeerCertificate) =>
      checkServerIdentity(endpoint.host, certificate),
    ...(ca === undefined ? {} : { ca }),
  };
  return (login, database, use) => connected({ ...(through ?? endpoint), ...login, database, ssl }, use);
}

async function connected<T>(
  { username, ...options }: Address & Login & { readonly database: string; readonly ssl: ConnectionOptions },
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const client = new Client({
    ...options,
    user: username,
    application_name: 'holdfast',
    connectionTimeoutMillis: 10_000,
    // A count that takes an hour says nothing meanwhile, and what is between forgets silent connections.
    keepAlive: true,
    options: '-c client_min_messages=warning',
  });
  // A server that goes away is told by the query that then fails.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new HoldfastError(
      'engine-failed',
      `PostgreSQL does not answer on ${options.host} (port ${options.port}) as ${username}: ${(error as Error).message}`,
      {
        hint: 'Is it reachable from here (VPC, security group, bastion), and its certificate of a known authority (certificateAuthorities)?',
        cause: error,
      },
    );
  }
  try {
    return await use({
      query: async <Row extends object>(sql: string, values?: readonly unknown[]) =>
        (await client.query<Row>(sql, values === undefined ? undefined : [...values])).rows,
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** What PostgreSQL says to a login that it refuses: the password is wrong, or the role isn't there or may not log in. */
const refusedLogin: ReadonlySet<unknown> = new Set(['28P01', '28000']);

/** Whether a role logs in with this password. @throws HoldfastError when the server doesn't say. */
export async function logsIn(connect: Connect, login: Login): Promise<boolean> {
  try {
    await connect(login, 'postgres', session => session.query('select 1'));
    return true;
  } catch (error) {
    const code = (error as { cause?: { code?: unknown } }).cause?.code;
    if (refusedLogin.has(code)) return false;
    // "insufficient_privilege": it may not use this database, and the password was right.
    if (code === '42501') return true;
    throw error;
  }
}

export function endpointOf({
  DBInstanceIdentifier: id,
  DBInstanceStatus: status,
  Endpoint,
}: DBInstance): Address {
  const { Address: host, Port: port } = Endpoint ?? {};
  if (host !== undefined && port !== undefined) return { host, port };
  throw new HoldfastError(
    'engine-failed',
    `the instance ${String(id)} has no endpoint (its status is ${String(status)})`,
    {
      hint: 'Wait until it is available.',
    },
  );
}

/** The master password as RDS manages it; only ever in memory. */
export async function masterLogin(
  { secrets }: RdsContext,
  { DBInstanceIdentifier: id, MasterUserSecret }: DBInstance,
): Promise<Login> {
  const arn = MasterUserSecret?.SecretArn;
  if (arn === undefined)
    throw new HoldfastError('configuration', `RDS doesn’t manage the master password of ${String(id)}`, {
      hint: 'Let it (ManageMasterUserPassword): Holdfast keeps no password of a database.',
    });
  const { SecretString } = await secrets
    .send(new GetSecretValueCommand({ SecretId: arn }))
    .catch((error: unknown) => {
      throw failed(`reading the master secret of ${String(id)}`, error);
    });
  try {
    return secret.parse(JSON.parse(String(SecretString)));
  } catch {
    // Without the cause: it could quote what it failed to parse.
    throw new HoldfastError('engine-failed', `the master secret of ${String(id)} can’t be understood`, {
      hint: `It is ${arn}; RDS writes it. Rotate it.`,
    });
  }
}

async function authorities({ settings }: RdsContext): Promise<string | undefined> {
  if (settings.certificateAuthorities === undefined) return undefined;
  try {
    return await readFile(settings.certificateAuthorities, 'utf8');
  } catch (cause) {
    throw new HoldfastError(
      'configuration',
      `the certificate authorities can’t be read: ${(cause as Error).message}`,
      {
        hint: 'certificateAuthorities names the file global-bundle.pem that AWS publishes for RDS.',
        cause,
      },
    );
  }
}
