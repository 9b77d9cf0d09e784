import { Client } from 'pg';
import { HoldfastError } from '../../../core/errors';

/** How the cluster's owner reaches a server: its private socket, as the superuser of the same name, by `peer`. */
export interface Socket {
  readonly socketDirectory: string;
  readonly port: number;
  readonly user: string;
}

export type Query = <Row extends object>(sql: string, values?: readonly unknown[]) => Promise<Row[]>;

/**
 * Runs `use` with a connection by the socket, which is closed afterwards.
 * @throws HoldfastError `engine-failed` when the server can't be reached.
 */
export async function withSocket<T>(
  socket: Socket,
  use: (query: Query) => Promise<T>,
  database = 'postgres',
): Promise<T> {
  const client = new Client({
    host: socket.socketDirectory,
    port: socket.port,
    user: socket.user,
    database,
    application_name: 'holdfast',
    connectionTimeoutMillis: 10_000,
  });
  // An error outside of a query (the server stops) also fails the next query: that is where it is told.
  client.on('error', () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw new HoldfastError(
      'engine-failed',
      `the server on socket ${socket.socketDirectory}, port ${socket.port} can’t be reached as ${socket.user}: ${(error as Error).message}`,
      {
        hint: 'Does it run, and may this operating-system user log in as superuser by `peer`?',
        cause: error,
      },
    );
  }
  try {
    return await use(async (sql, values = []) => (await client.query(sql, [...values])).rows as never);
  } finally {
    await client.end().catch(() => undefined);
  }
}
