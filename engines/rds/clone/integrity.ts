import type { Checklist, Clone, Session, Watch } from '../../engine';

/** Opens a session in a database of the clone. */
export type Opener = <T>(database: string, use: (session: Session) => Promise<T>) => Promise<T>;

/**
 * Checks the structure of all tables and B-tree indexes of a clone with the extension amcheck, through SQL: there is no
 * pg_amcheck on RDS. It reads every page, which volumes that load lazily need once anyway. Each table and index is ticked off.
 */
export async function checkIntegrity(
  open: Opener,
  clone: Clone,
  checklist: Checklist,
  watch: Watch,
): Promise<void> {
  const databases = await open('postgres', session =>
    session.query<{ name: string }>(
      'select datname as name from pg_database where datallowconn and not datistemplate order by 1',
    ),
  );
  for (const { name } of databases) {
    watch.report({ fraction: null, step: `checking tables and indexes of ${name} in ${clone.id}` });
    await open(name, session => checkDatabase(session, name, checklist, watch.signal));
  }
}

interface Relation {
  readonly name: string;
  readonly oid: string;
  readonly kind: 'table' | 'index';
}

async function checkDatabase(
  session: Session,
  database: string,
  checklist: Checklist,
  signal: AbortSignal,
): Promise<void> {
  await session.query('create extension if not exists amcheck');
  for (const { name, oid, kind } of await relations(session)) {
    const piece = `${database}.${name}`;
    if (checklist.has(piece)) continue;
    const found = await (kind === 'table' ? checkTable(session, oid) : checkIndex(session, oid)).catch(
      (error: unknown) => {
        if (!isAboutData(error)) throw error;
        return [(error as Error).message];
      },
    );
    await checklist.tick(
      piece,
      found.map(said => `${piece}: ${said}`),
    );
    signal.throwIfAborted();
  }
}

/** A server that goes away, is out of something or is shut down says nothing about what it was reading (SQLSTATE classes). */
function isAboutData(error: unknown): boolean {
  const { code = '' } = error as { readonly code?: string };
  return /^[0-9A-Z]{5}$/.test(code) && !/^(08|53|57)/.test(code);
}

/** As pg_amcheck chooses them: what has storage and is permanent. */
function relations(session: Session): Promise<Relation[]> {
  return session.query<Relation>(
    `select n.nspname || '.' || c.relname as name, c.oid::text as oid,
            case c.relkind when 'i' then 'index' else 'table' end as kind
       from pg_class c
       join pg_namespace n on n.oid = c.relnamespace
       left join pg_index i on i.indexrelid = c.oid
       left join pg_am a on a.oid = c.relam
      where c.relpersistence = 'p'
        and (c.relkind in ('r', 'm', 't') or c.relkind = 'i' and a.amname = 'btree' and i.indisvalid)
        and (c.relkind = 'i' or current_setting('server_version_num')::int >= 140000)
      order by 3 desc, 1`,
  );
}

async function checkTable(session: Session, oid: string): Promise<string[]> {
  const rows = await session.query<{ block: string; said: string }>(
    'select blkno::text as block, msg as said from verify_heapam($1::oid::regclass) limit 100',
    [oid],
  );
  return rows.map(({ block, said }) => `block ${block}: ${said}`);
}

async function checkIndex(session: Session, oid: string): Promise<string[]> {
  await session.query('select bt_index_check($1::oid::regclass, true)', [oid]);
  return [];
}
