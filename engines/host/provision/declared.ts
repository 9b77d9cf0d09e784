import { planCatalog, type DatabasePlan } from '../../../core/catalog';
import type { Existing } from '../../../core/host-documents';
import type { HostSpecification } from '../../../core/specification';
import type { Session } from '../../engine';
import type { Credentials } from '../credentials';
import { promptly, withServer, type Server } from '../session';

type Conflict = Existing['conflict'];

interface FoundRole {
  readonly name: string;
  readonly login: boolean;
  /** Superuser, or may create roles or databases, replicate, or bypass row security. */
  readonly powerful: boolean;
  readonly verifier: string | null;
}

/** What of the declared roles, databases and schemas a cluster has, and whether it is as declared. Read-only. */
export async function surveyDeclared(
  server: Server,
  specification: HostSpecification,
  credentials: Credentials | null,
): Promise<Existing[]> {
  const plans = planCatalog(specification.settings.databases);
  if (plans.length === 0) return [];
  const { roles, databases } = await withServer(
    server,
    'postgres',
    async session => ({ roles: await rolesOf(session, plans), databases: await databasesOf(session, plans) }),
    promptly,
  );
  const known = new Set(roles.map(({ name }) => name));
  const found: Existing[] = roles.map(role => ({
    type: 'role',
    id: role.name,
    conflict: roleConflict(role, plans, credentials),
  }));
  for (const plan of plans) {
    const owner = databases.get(plan.name);
    if (owner === undefined) continue;
    found.push({ type: 'database', id: plan.name, conflict: databaseConflict(plan, owner, known) });
    found.push(
      ...(await withServer(server, plan.name, session => schemasOf(session, plan, known), promptly)),
    );
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
    `select rolname as name, rolcanlogin as login, rolpassword as verifier,
            rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as powerful
     from pg_authid where rolname = any($1) order by rolname`,
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

function roleConflict(
  role: FoundRole,
  plans: readonly DatabasePlan[],
  credentials: Credentials | null,
): Conflict {
  const { name, login, powerful, verifier } = role;
  const logsIn = plans.some(({ logins }) => logins.some(one => one.role === name));
  if (!logsIn)
    return login || powerful
      ? {
          difference: login ? 'it logs in, and owners never do' : 'it may do more than own',
          remedy: [
            `alter role "${name}" nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls;`,
          ],
        }
      : null;
  // That of an earlier update of which Pulumi's state was lost, for example.
  if (login && !powerful && verifier !== null && verifier === credentials?.roles[name]?.verifier) return null;
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
