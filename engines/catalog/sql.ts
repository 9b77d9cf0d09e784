import type { Session } from '../engine';

/** Runs `use` with a connection to a database of the cluster, of a role that may manage what is in it. */
export type OpenDatabase = <T>(database: string, use: (session: Session) => Promise<T>) => Promise<T>;

/** "invalid_catalog_name": so the server refuses a connection to a database that doesn't exist. */
export function isNoDatabase(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return cause?.code === '3D000';
}
