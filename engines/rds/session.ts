import { readFile } from 'node:fs/promises';
import type { DBInstance } from '@aws-sdk/client-rds';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { Client } from 'pg';
import * as z from 'zod';
import { HoldfastError } from '../../core/errors';
import type { Session } from '../engine';
import type { RdsContext } from './context';
import { failed } from './failure';

const secret = z.object({ username: z.string().min(1), password: z.string().min(1) });

/**
 * Runs `use` with a connection to a database of an instance, as its master user, over TLS whose certificate is checked; it is
 * closed afterwards. Nothing of the environment (PGOPTIONS, PGSSLMODE, PGPASSWORD…) bends it.
 * @throws HoldfastError `engine-failed` when the server doesn't answer from here; what `use` throws passes through.
 */
export async function withInstance<T>(
  context: RdsContext,
  instance: DBInstance,
  database: string,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { host, port } = endpointOf(instance);
  const { username, password } = await masterSecret(context, instance);
  const ca = await authorities(context);
  const client = new Client({
    host,
    port,
    database,
    user: username,
    password,
    ssl: { rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) },
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
      `PostgreSQL does not answer on ${host} (port ${port}) as ${username}: ${(error as Error).message}`,
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

export function endpointOf({ DBInstanceIdentifier: id, DBInstanceStatus: status, Endpoint }: DBInstance): {
  readonly host: string;
  readonly port: number;
} {
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
async function masterSecret(
  { secrets }: RdsContext,
  { DBInstanceIdentifier: id, MasterUserSecret }: DBInstance,
): Promise<z.output<typeof secret>> {
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
