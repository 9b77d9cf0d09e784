import { Client } from 'pg';
import { HoldfastError } from '../../core/errors';
import type { Session } from '../engine';

/** A server on this machine, reached over its private Unix socket as the superuser that is named like its owner. */
export interface Server {
  readonly socketDirectory: string;
  readonly port: number;
  readonly superuser: string;
}

/** Within this long a server that isn't hung says what it is asked about itself. */
export const promptly = 30;

/** The row of a question that has exactly one answer. @throws HoldfastError `engine-failed` when there is none. */
export async function onlyRow<Row extends object>(
  session: Session,
  sql: string,
  values?: readonly unknown[],
): Promise<Row> {
  const [row] = await session.query<Row>(sql, values);
  if (row === undefined)
    throw new HoldfastError('engine-failed', 'PostgreSQL answered a question with nothing');
  return row;
}

/**
 * Runs `use` with a connection to a database that is closed afterwards. Nothing of the environment (PGOPTIONS, PGSSLMODE,
 * PGPASSWORD…) bends it.
 * @param answerSeconds after which a query that isn't answered fails. @default never: some count rows for hours
 * @throws HoldfastError `engine-failed` when the server doesn't answer; what `use` throws passes through.
 */
export async function withServer<T>(
  server: Server,
  database: string,
  use: (session: Session) => Promise<T>,
  answerSeconds?: number,
): Promise<T> {
  const client = new Client({
    host: server.socketDirectory,
    port: server.port,
    user: server.superuser,
    database,
    application_name: 'holdfast',
    connectionTimeoutMillis: 10_000,
    ...(answerSeconds === undefined ? {} : { query_timeout: answerSeconds * 1000 }),
    ssl: false,
    password: '',
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
      `PostgreSQL does not answer on ${server.socketDirectory} (port ${server.port}) as ${server.superuser}: ${(error as Error).message}`,
      { hint: 'Is the cluster running? Its log says why not.', cause: error },
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
