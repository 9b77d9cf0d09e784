import { planCatalog, type DatabasePlan } from '../../../core/catalog';
import { HoldfastError } from '../../../core/errors';
import { providerRole, type Drift } from '../../../core/host-documents';
import type { HostSpecification } from '../../../core/specification';
import type { Session } from '../../engine';
import { pathsOf } from '../layout';
import { promptly, withServer, type Server } from '../session';
import { runningServer, superuserOf } from './context';

/** What in a database isn't as it has to be, and only a superuser can change. */
interface Found {
  /** PUBLIC may create in the schema `public`: so PostgreSQL 13 and 14 make it. */
  readonly publicCreates: boolean;
  readonly missing: readonly string[];
  /** Something belongs to the provider's role, which logs in: an extension that it made, or what a dropped role owned. */
  readonly providerOwns: boolean;
}

/**
 * Sees to what the PostgreSQL provider can't in the declared databases, because it is no superuser, or would own it: the
 * extensions (whoever creates one owns it, and nobody else ever can), the schema `public`, and that the provider owns nothing.
 * An extension that isn't declared any more stays: what uses it would be dropped with it.
 *
 * @returns what was changed.
 * @throws HoldfastError `configuration` for an extension that isn't installed on the machine.
 */
export async function keepDatabases(specification: HostSpecification, home: string): Promise<string[]> {
  const { cluster } = specification;
  const paths = pathsOf(home, specification);
  const server = await runningServer({ paths, superuser: superuserOf(specification) });
  if (server === null)
    throw new HoldfastError('engine-failed', `cluster ${cluster} is not running`, {
      hint: `Its log is in ${paths.log}.`,
    });
  const changed: string[] = [];
  for (const plan of planCatalog(specification.settings.databases))
    changed.push(...(await withServer(server, plan.name, session => keepDatabase(session, plan))));
  return changed;
}

async function keepDatabase(session: Session, plan: DatabasePlan): Promise<string[]> {
  const { publicCreates, missing, providerOwns } = await look(session, plan);
  if (publicCreates) await session.query('revoke create on schema public from public');
  if (providerOwns) await session.query(`reassign owned by ${providerRole} to "${plan.owner}"`);
  for (const extension of missing) await createExtension(session, plan.name, extension);
  return [
    ...(publicCreates ? [`${plan.name}: public`] : []),
    ...(providerOwns ? [`${plan.name}: owners`] : []),
    ...missing.map(extension => `${plan.name}: extension ${extension}`),
  ];
}

async function look(session: Session, { extensions }: DatabasePlan): Promise<Found> {
  const [found] = await session.query<Found>(
    `select exists (select from pg_namespace, aclexplode(coalesce(nspacl, acldefault('n', nspowner)))
                    where nspname = 'public' and grantee = 0 and privilege_type = 'CREATE') as "publicCreates",
            array(select wanted from unnest($1::text[]) as wanted
                  where wanted not in (select extname from pg_extension) order by 1) as missing,
            exists (select from pg_shdepend join pg_roles on refobjid = pg_roles.oid
                    where dbid = (select oid from pg_database where datname = current_database())
                      and refclassid = 'pg_authid'::regclass and deptype = 'o' and rolname = $2) as "providerOwns"`,
    [extensions, providerRole],
  );
  if (found === undefined) throw new HoldfastError('engine-failed', 'the server answers without an answer');
  return found;
}

async function createExtension(session: Session, database: string, extension: string): Promise<void> {
  try {
    await session.query(`create extension if not exists "${extension}" cascade`);
  } catch (error) {
    throw new HoldfastError(
      'configuration',
      `database ${database}: the extension ${extension} can't be created: ${(error as Error).message}`,
      {
        hint: 'Is its package installed on the cluster’s machine, for this version of PostgreSQL? `select * from pg_available_extensions` lists what is.',
        cause: error,
      },
    );
  }
}

/**
 * What of it was changed by hand. A database that isn't there (yet) has none.
 * @param specification that was applied last.
 */
export async function databaseDrift(server: Server, specification: HostSpecification): Promise<Drift[]> {
  const found = planCatalog(specification.settings.databases).map(plan =>
    withServer(server, plan.name, session => look(session, plan), promptly).then(
      seen => driftOf(plan, seen),
      (error: unknown) => {
        if (isNoDatabase(error)) return [];
        throw error;
      },
    ),
  );
  return (await Promise.all(found)).flat();
}

/** "invalid_catalog_name": so the server refuses a connection to a database that doesn't exist. */
function isNoDatabase(error: unknown): boolean {
  const { cause } = error as { cause?: { code?: unknown } };
  return cause?.code === '3D000';
}

function driftOf({ name, owner }: DatabasePlan, { publicCreates, missing, providerOwns }: Found): Drift[] {
  const what = `databases.${name}`;
  return [
    ...(publicCreates
      ? [{ what: `${what}.public`, expected: 'PUBLIC may not create in it', found: 'PUBLIC may' }]
      : []),
    ...(providerOwns
      ? [{ what: `${what}.owners`, expected: owner, found: `something belongs to ${providerRole}` }]
      : []),
    ...missing.map(extension => ({
      what: `${what}.extensions`,
      expected: extension,
      found: `${extension} is missing`,
    })),
  ];
}
