import { HoldfastError } from './errors';
import type { Existing } from './host-documents';
import type { DatabaseSettings } from './settings/stack';

/** A database and the roles that have a part in it. */
export interface DatabasePlan {
  readonly name: string;
  /** NOLOGIN: owns the database. */
  readonly owner: string;
  /** NOLOGIN: owns the schemas, and what changes create in them. */
  readonly objectOwner: string;
  readonly schemas: readonly string[];
  /** In the schema `public`; the bootstrap superuser owns them. */
  readonly extensions: readonly string[];
  readonly logins: readonly Login[];
}

/** A role that logs in and owns nothing. */
export interface Login {
  readonly role: string;
  readonly access: Access;
}

/** What a login may do in a database, as PostgreSQL's privileges. */
export interface Access {
  readonly database: readonly string[];
  readonly tables: readonly string[];
  readonly sequences: readonly string[];
}

const readAndWrite: Access = {
  database: ['CONNECT', 'TEMPORARY'],
  tables: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  sequences: ['SELECT', 'UPDATE', 'USAGE'],
};
const readOnly: Access = { database: ['CONNECT'], tables: ['SELECT'], sequences: ['SELECT'] };

/**
 * The databases of a cluster with their roles.
 * @throws HoldfastError `configuration` when a login has the name of an owner.
 */
export function planCatalog(databases: Readonly<Record<string, DatabaseSettings>>): DatabasePlan[] {
  const plans = Object.entries(databases).map(([name, settings]) => planDatabase(name, settings));
  const owners = new Map(
    plans.flatMap(({ name, owner, objectOwner }) => [
      [owner, name],
      [objectOwner, name],
    ]),
  );
  for (const { name, logins } of plans)
    for (const { role } of logins) {
      const owned = owners.get(role);
      if (owned !== undefined)
        throw new HoldfastError(
          'configuration',
          `databases.${name}: the role ${role} can't log in: it owns the database ${owned} or what is in it`,
          { hint: 'Give the login another name: owners never log in.' },
        );
    }
  return plans;
}

/** Every role that logs in; each has a part in one database. */
export const loginsOf = (plans: readonly DatabasePlan[]): string[] =>
  plans.flatMap(({ logins }) => logins.map(({ role }) => role));

function planDatabase(name: string, settings: DatabaseSettings): DatabasePlan {
  return {
    name,
    owner: `${name}_owner`,
    objectOwner: `${name}_objects`,
    schemas: [...new Set(settings.schemas)],
    extensions: [...new Set(settings.extensions)],
    logins: [
      ...settings.applicationRoles.map(role => ({ role, access: readAndWrite })),
      ...settings.readOnlyRoles.map(role => ({ role, access: readOnly })),
    ],
  };
}

/**
 * Says what a cluster has already, and not as it is declared: nothing that somebody else made is taken over silently.
 * Undefined when there is no such thing.
 */
export function refuseTakeover(cluster: string, existing: readonly Existing[]): HoldfastError | undefined {
  const found = existing.flatMap(({ type, id, conflict }) =>
    conflict === null ? [] : [{ what: `${type} ${id}: ${conflict.difference}`, remedy: conflict.remedy }],
  );
  if (found.length === 0) return undefined;
  return new HoldfastError(
    'refused',
    [`cluster ${cluster} has already, but not as declared:`, ...found.map(({ what }) => `    ${what}`)].join(
      '\n',
    ),
    {
      hint: [
        'Nothing was changed: it is not taken over silently. Take it out of the settings, or hand it over first, in psql as a superuser (on RDS as the master user), and run this again: what is as declared is imported into Pulumi’s state. What changes for its applications: docs/operations.md, “Declaring what is there already”.',
        ...found.flatMap(({ remedy }) => remedy).map(line => `    ${line}`),
      ].join('\n'),
    },
  );
}
