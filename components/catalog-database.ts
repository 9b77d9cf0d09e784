import * as postgresql from '@pulumi/postgresql';
import type * as pulumi from '@pulumi/pulumi';
import type { DatabasePlan, Login } from '../core/catalog';
import { providerRole, type Existing } from '../core/host-documents';
import { imported } from './existing';

interface DatabaseContext {
  readonly database: DatabasePlan;
  /** The logins, by name. */
  readonly roles: ReadonlyMap<string, postgresql.Role>;
  readonly after: pulumi.Resource[];
  readonly options: pulumi.CustomResourceOptions;
  /** What the cluster has already. */
  readonly existing: readonly Existing[];
}

/** One database with its owners, schemas and privileges, in this order. Returns what the next one comes after. */
export function createDatabase(name: string, context: DatabaseContext): pulumi.Resource[] {
  const { database, options, existing } = context;
  const prefix = `${name}-${database.name}`;
  const sequence = new Sequence(context.after, options);

  const owner = new postgresql.Role(
    `${name}-${database.owner}`,
    { name: database.owner, login: false },
    { ...options, ...imported(existing, 'role', database.owner) },
  );
  const objectOwner = new postgresql.Role(
    `${name}-${database.objectOwner}`,
    { name: database.objectOwner, login: false },
    { ...options, ...imported(existing, 'role', database.objectOwner) },
  );
  // Only its owner (or a member) may change the privileges of a database, or create what needs CREATE in it.
  sequence.add(
    opts =>
      new postgresql.GrantRole(`${prefix}-provider`, { role: providerRole, grantRole: owner.name }, opts),
  );
  const { name: created } = sequence.add(
    opts =>
      new postgresql.Database(
        prefix,
        { name: database.name, owner: owner.name },
        { ...opts, ...imported(existing, 'database', database.name) },
      ),
  );
  sequence.add(
    opts =>
      new postgresql.Grant(
        `${prefix}-public`,
        { database: created, role: 'public', objectType: 'database', privileges: [] },
        opts,
      ),
  );
  for (const { role, access } of database.logins)
    sequence.add(
      opts =>
        new postgresql.Grant(
          `${prefix}-${role}`,
          {
            database: created,
            role: roleName(context, role),
            objectType: 'database',
            privileges: [...access.database],
          },
          opts,
        ),
    );
  for (const schema of database.schemas) {
    const { name: schemaName } = sequence.add(
      opts =>
        new postgresql.Schema(
          `${prefix}-${schema}`,
          { name: schema, database: created, owner: objectOwner.name },
          { ...opts, ...imported(existing, 'schema', `${database.name}.${schema}`) },
        ),
    );
    for (const login of database.logins)
      grantInSchema(`${prefix}-${schema}-${login.role}`, sequence, login, {
        database: created,
        schema: schemaName,
        role: roleName(context, login.role),
        owner: objectOwner.name,
      });
  }
  return sequence.last;
}

interface SchemaGrant {
  readonly database: pulumi.Input<string>;
  readonly schema: pulumi.Input<string>;
  readonly role: pulumi.Input<string>;
  readonly owner: pulumi.Input<string>;
}

/** A login's privileges on a schema, on what is in it, and on what its owner will create in it. */
function grantInSchema(prefix: string, sequence: Sequence, { access }: Login, grant: SchemaGrant): void {
  const { owner, ...target } = grant;
  sequence.add(
    opts => new postgresql.Grant(prefix, { ...target, objectType: 'schema', privileges: ['USAGE'] }, opts),
  );
  for (const objectType of ['table', 'sequence'] as const) {
    const privileges = [...access[`${objectType}s`]];
    sequence.add(
      opts => new postgresql.Grant(`${prefix}-${objectType}s`, { ...target, objectType, privileges }, opts),
    );
    sequence.add(
      opts =>
        new postgresql.DefaultPrivileges(
          `${prefix}-future-${objectType}s`,
          { ...target, owner, objectType, privileges },
          opts,
        ),
    );
  }
}

function roleName({ roles }: DatabaseContext, role: string): pulumi.Input<string> {
  return roles.get(role)?.name ?? role;
}

/** Resources that are made one after the other. */
class Sequence {
  constructor(
    public last: pulumi.Resource[],
    private readonly options: pulumi.CustomResourceOptions,
  ) {}

  add<R extends pulumi.Resource>(create: (options: pulumi.CustomResourceOptions) => R): R {
    const resource = create({ ...this.options, dependsOn: this.last });
    this.last = [resource];
    return resource;
  }
}
