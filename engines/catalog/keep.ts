import type { DatabasePlan } from '../../core/catalog';
import { HoldfastError } from '../../core/errors';
import { providerRole, type Drift } from '../../core/host-documents';
import type { Session } from '../engine';
import { isNoDatabase, type OpenDatabase } from './sql';

/** What in a database isn't as it has to be, and the PostgreSQL provider can't change. */
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
 * @throws HoldfastError `configuration` for an extension that the server doesn't have; `engine-failed` when PUBLIC keeps what
 * it may.
 */
export async function keepDatabases(open: OpenDatabase, plans: readonly DatabasePlan[]): Promise<string[]> {
  const changed: string[] = [];
  for (const plan of plans) changed.push(...(await open(plan.name, session => keepDatabase(session, plan))));
  return changed;
}

async function keepDatabase(session: Session, plan: DatabasePlan): Promise<string[]> {
  const { publicCreates, missing, providerOwns } = await look(session, plan);
  if (publicCreates) await closePublic(session, plan);
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

/** To one who may not revoke it, PostgreSQL only says a warning. */
async function closePublic(session: Session, plan: DatabasePlan): Promise<void> {
  await session.query('revoke create on schema public from public');
  if (!(await look(session, plan)).publicCreates) return;
  throw new HoldfastError(
    'engine-failed',
    `database ${plan.name}: everybody may create in the schema public, and it can’t be taken from them`,
    { hint: 'Have the owner of the schema run: revoke create on schema public from public' },
  );
}

async function createExtension(session: Session, database: string, extension: string): Promise<void> {
  try {
    await session.query(`create extension if not exists "${extension}" cascade`);
  } catch (error) {
    throw new HoldfastError(
      'configuration',
      `database ${database}: the extension ${extension} can't be created: ${(error as Error).message}`,
      {
        hint: '`select * from pg_available_extensions` lists what the server has. On a machine its package has to be installed, for this version of PostgreSQL.',
        cause: error,
      },
    );
  }
}

/**
 * What of it was changed by hand. A database that isn't there (yet) has none.
 * @param plans as they were applied last.
 */
export async function databaseDrift(open: OpenDatabase, plans: readonly DatabasePlan[]): Promise<Drift[]> {
  const found = plans.map(plan =>
    open(plan.name, session => look(session, plan)).then(
      seen => driftOf(plan, seen),
      (error: unknown) => {
        if (isNoDatabase(error)) return [];
        throw error;
      },
    ),
  );
  return (await Promise.all(found)).flat();
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
