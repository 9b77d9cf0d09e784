import type { Clone, Engine, Session } from '../engines/engine';

/** Rows by `database.schema.table`. */
export type Counts = Readonly<Record<string, number>>;

/** A table that lost more than this share of its rows since the last verification fails the verification. */
export const allowedFall = 0.2;

/** The databases that people can connect to. */
export function databasesOf(engine: Engine, clone: Clone): Promise<string[]> {
  return engine.withSession({ database: 'postgres', clone }, async session => {
    const rows = await session.query<{ datname: string }>(
      'select datname from pg_database where datallowconn and not datistemplate order by datname',
    );
    return rows.map(row => row.datname);
  });
}

/** Where counts are kept, so that no table is counted twice. */
export interface Tally {
  hasCounted(table: string): boolean;
  count(table: string, rows: number): Promise<void>;
}

/**
 * Counts the rows of every table of a clone that isn't counted yet, exactly. Partitions count each for itself, their parent
 * doesn't.
 */
export async function countRows(
  engine: Engine,
  clone: Clone,
  databases: readonly string[],
  tally: Tally,
  signal: AbortSignal,
): Promise<void> {
  for (const database of databases)
    await engine.withSession({ database, clone }, async session => {
      for (const { name, quoted } of await tablesOf(session)) {
        const table = `${database}.${name}`;
        if (tally.hasCounted(table)) continue;
        const [row] = await session.query<{ rows: string }>(`select count(*)::text as rows from ${quoted}`);
        await tally.count(table, Number(row?.rows));
        signal.throwIfAborted();
      }
    });
}

/** Unlogged tables are empty after every restore, so they say nothing. */
function tablesOf(session: Session): Promise<{ name: string; quoted: string }[]> {
  return session.query(
    `select n.nspname || '.' || c.relname as name, format('%I.%I', n.nspname, c.relname) as quoted
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and c.relpersistence = 'p'
        and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
      order by 1`,
  );
}

/** What fell by more than a fifth without being declared, one line each; a table that is gone lost all its rows. */
export function undeclaredFalls(before: Counts | null, now: Counts, declared: readonly string[]): string[] {
  return Object.entries(before ?? {}).flatMap(([table, rows]) => {
    const rest = now[table] ?? 0;
    if (declared.includes(table) || rows === 0 || rest >= rows * (1 - allowedFall)) return [];
    const share = Math.round(((rows - rest) / rows) * 100);
    const gone = table in now ? '' : ' (the table is gone)';
    return [`${table} has ${rest} rows; the last verification counted ${rows}: ${share} % fewer${gone}`];
  });
}
