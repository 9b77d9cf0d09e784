import type { Clone, Session, Watch } from '../../engine';

const mostLines = 100;

/** Opens a session in a database of the clone. */
export type Opener = <T>(database: string, use: (session: Session) => Promise<T>) => Promise<T>;

/**
 * Checks the structure of all tables and B-tree indexes of a clone with the extension amcheck, through SQL: there is no
 * pg_amcheck on RDS. It reads every page, which volumes that load lazily need once anyway.
 * @returns what is wrong, one line each, at most a hundred.
 */
export async function checkIntegrity(open: Opener, clone: Clone, watch: Watch): Promise<readonly string[]> {
  const lines: string[] = [];
  const databases = await open('postgres', session =>
    session.query<{ name: string }>(
      'select datname as name from pg_database where datallowconn and not datistemplate order by 1',
    ),
  );
  for (const { name } of databases) {
    watch.signal.throwIfAborted();
    watch.report({ fraction: null, step: `checking tables and indexes of ${name} in ${clone.id}` });
    await open(name, session => checkDatabase(session, name, watch.signal, lines));
  }
  return lines;
}

interface Relation {
  readonly name: string;
  readonly oid: string;
  readonly kind: 'table' | 'index';
}

async function checkDatabase(
  session: Session,
  database: string,
  signal: AbortSignal,
  lines: string[],
): Promise<void> {
  await session.query('create extension if not exists amcheck');
  for (const { name, oid, kind } of await relations(session)) {
    signal.throwIfAborted();
    if (lines.length >= mostLines) return;
    const found = await (kind === 'table' ? checkTable(session, oid) : checkIndex(session, oid)).catch(
      (error: unknown) => [(error as Error).message],
    );
    lines.push(...found.map(said => `${database}.${name}: ${said}`).slice(0, mostLines - lines.length));
  }
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
