import type { DatabasePlan } from '../../core/catalog';
import type { Existing } from '../../core/host-documents';
import type { Session } from '../engine';
import type { OpenDatabase } from './sql';

type Conflict = Existing['conflict'];

interface FoundRole {
  readonly name: string;
  readonly login: boolean;
  /** What it may beyond owning and logging in, as attributes that take it away. */
  readonly excess: readonly string[];
}

/** Whether a role that logs in has the password that is kept for it. */
export type IsOurs = (role: string) => Promise<boolean>;

/** What of the declared roles, databases and schemas a cluster has, and whether it is as declared. Read-only. */
export async function surveyDeclared(
  open: OpenDatabase,
  plans: readonly DatabasePlan[],
  isOurs: IsOurs,
): Promise<Existing[]> {
  if (plans.length === 0) return [];
  const { roles, databases } = await open('postgres', async session => ({
    roles: await rolesOf(session, plans),
    databases: await databasesOf(session, plans),
  }));
  const known = new Set(roles.map(({ name }) => name));
  const found: Existing[] = [];
  for (const role of roles)
    found.push({ type: 'role', id: role.name, conflict: await roleConflict(role, plans, isOurs) });
  for (const plan of plans) {
    const owner = databases.get(plan.name);
    if (owner === undefined) continue;
    found.push({ type: 'database', id: plan.name, conflict: databaseConflict(plan, owner, known) });
    found.push(...(await open(plan.name, session => schemasOf(session, plan, known))));
  }
  return found;
}

async function rolesOf(session: Session, plans: readonly DatabasePlan[]): Promise<FoundRole[]> {
  const names = plans.flatMap(({ owner, objectOwner, logins }) => [
    owner,
    objectOwner,
    ...logins.map(({ role }) => role),
  ]);
  return session.query<FoundRole>(
    `select rolname as name, rolcanlogin as login,
            array_remove(array[case when rolsuper then 'nosuperuser' end,
                               case when rolcreatedb then 'nocreatedb' end,
                               case when rolcreaterole then 'nocreaterole' end,
                               case when rolreplication then 'noreplication' end,
                               case when rolbypassrls then 'nobypassrls' end], null) as excess
     from pg_roles where rolname = any($1) order by rolname`,
    [names],
  );
}

/** The owners of the databases that are there. */
async function databasesOf(session: Session, plans: readonly DatabasePlan[]): Promise<Map<string, string>> {
  const rows = await session.query<{ name: string; owner: string }>(
    `select datname as name, pg_get_userbyid(datdba) as owner from pg_database where datname = any($1)`,
    [plans.map(({ name }) => name)],
  );
  return new Map(rows.map(({ name, owner }) => [name, owner]));
}

async function roleConflict(
  { name, login, excess }: FoundRole,
  plans: readonly DatabasePlan[],
  isOurs: IsOurs,
): Promise<Conflict> {
  const logsIn = plans.some(({ logins }) => logins.some(one => one.role === name));
  if (!logsIn) {
    if (!login && excess.length === 0) return null;
    return {
      difference: login ? 'it logs in, and owners never do' : 'it may do more than own',
      remedy: [`alter role "${name}" ${[...(login ? ['nologin'] : []), ...excess].join(' ')};`],
    };
  }
  // That of an earlier update of which Pulumi's state was lost, for example.
  if (login && excess.length === 0 && (await isOurs(name))) return null;
  return {
    difference: 'it is somebody’s already, with a password that would be replaced',
    remedy: [`-- declare another name than ${name}, and drop ${name} once its application logs in by that`],
  };
}

function databaseConflict(plan: DatabasePlan, owner: string, known: ReadonlySet<string>): Conflict {
  if (owner === plan.owner) return null;
  return {
    difference: `it belongs to ${owner}, not to ${plan.owner}`,
    remedy: [...created(plan.owner, known), `alter database "${plan.name}" owner to "${plan.owner}";`],
  };
}

/** Relations that have an owner of their own: not the sequences of serial and identity columns, which follow their tables. */
const ownRelations = `relkind in ('r', 'p', 'v', 'm', 'f', 'S') and not (relkind = 'S' and exists (
  select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype in ('a', 'i')))`;

async function schemasOf(
  session: Session,
  { name, schemas, objectOwner }: DatabasePlan,
  known: ReadonlySet<string>,
): Promise<Existing[]> {
  const rows = await session.query<{ schema: string; owners: string[] }>(
    `select nspname as schema, array(
       select pg_get_userbyid(nspowner)::text union
       select pg_get_userbyid(relowner)::text from pg_class where relnamespace = pg_namespace.oid and ${ownRelations}
       order by 1) as owners
     from pg_namespace where nspname = any($1) order by nspname`,
    [schemas],
  );
  return rows.map(({ schema, owners }) => {
    const others = owners.filter(owner => owner !== objectOwner);
    const id = `${name}.${schema}`;
    if (others.length === 0) return { type: 'schema', id, conflict: null };
    const remedy = [
      ...created(objectOwner, known),
      `\\connect "${name}"`,
      `alter schema "${schema}" owner to "${objectOwner}";`,
      `select format('alter table %s owner to %I', oid::regclass, '${objectOwner}') from pg_class where relnamespace = '"${schema}"'::regnamespace and ${ownRelations.replace(/\s+/g, ' ')} \\gexec`,
    ];
    const difference = `it, or what is in it, belongs to ${others.join(', ')}, not to ${objectOwner}`;
    return { type: 'schema', id, conflict: { difference, remedy } };
  });
}

const created = (role: string, known: ReadonlySet<string>): string[] =>
  known.has(role) ? [] : [`create role "${role}";`];
