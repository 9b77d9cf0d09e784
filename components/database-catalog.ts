import * as postgresql from '@pulumi/postgresql';
import * as pulumi from '@pulumi/pulumi';
import { loginsOf, planCatalog, type DatabasePlan } from '../core/catalog';
import { providerRole } from '../core/host-documents';
import { createDatabase } from './catalog-database';
import { placeOf } from '../jobs/where';
import type { ClusterPlan, StackContext } from './context';
import type { Credentials } from './credentials';
import { imported } from './existing';
import { hostCommand } from './host-command';
import { catalogued, stateful } from './protection';
import type { ReachableServer } from './reachable';
import { revisionOf } from './revision';

export interface DatabaseCatalogArgs {
  readonly plan: ClusterPlan;
  readonly context: StackContext;
  readonly credentials: Credentials;
  /** Called where there are databases only: it may open a tunnel. */
  readonly reach: () => ReachableServer;
  /** Applied before anything inside it is touched. */
  readonly cluster: pulumi.Resource;
}

/**
 * What is inside a cluster: roles, databases, schemas, extensions and privileges.
 *
 * Owners are NOLOGIN, logins own nothing. The server gets the SCRAM verifiers of the passwords only: a password in clear would
 * be in its log. PUBLIC may do nothing in a database. In production nothing of it is ever dropped by Pulumi.
 */
export class DatabaseCatalog extends pulumi.ComponentResource {
  /** Passwords of the logins, by role. Secret. */
  readonly passwords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: DatabaseCatalogArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:postgresql:DatabaseCatalog', name, {}, opts);
    const { plan, context, credentials, cluster } = args;
    const databases = planCatalog(plan.specification.settings.databases);
    const logins = loginsOf(databases);
    const { existing } = plan.inspection;

    if (databases.length > 0) {
      const provider = this.createProvider(name, args);
      const options: pulumi.CustomResourceOptions = {
        parent: this,
        provider,
        ...catalogued(context, plan, cluster),
      };
      const roles = new Map(
        logins.map(login => [
          login,
          new postgresql.Role(
            `${name}-${login}`,
            { name: login, login: true, password: credentials.role(login).apply(({ verifier }) => verifier) },
            { ...options, ...imported(existing, 'role', login) },
          ),
        ]),
      );
      // One after the other: PostgreSQL refuses to change the privileges of one object, or a membership, twice at a time.
      let last: pulumi.Resource[] = [];
      for (const database of databases)
        last = createDatabase(name, { database, roles, after: last, options, existing });
      this.keepDatabases(name, args, databases, last);
    }

    this.passwords = pulumi.secret(
      pulumi.all(
        Object.fromEntries(
          logins.map(login => [login, credentials.role(login).apply(({ password }) => password)]),
        ),
      ),
    );
    this.registerOutputs({ passwords: this.passwords });
  }

  /** What only a superuser can (on RDS the master user), done where the cluster is looked after. */
  private keepDatabases(
    name: string,
    { plan, context }: DatabaseCatalogArgs,
    databases: readonly DatabasePlan[],
    after: pulumi.Resource[],
  ): void {
    const { cluster, settings } = plan.specification;
    const extensions = databases.map(
      database => `${database.name}: ${database.extensions.join(', ') || 'no extensions'}`,
    );
    hostCommand(
      `${name}-databases`,
      {
        place: placeOf(settings),
        create: 'databases',
        document: { cluster },
        labels: {
          HOLDFAST_DATABASES: extensions.join('; '),
          HOLDFAST_REVISION: String(revisionOf(plan.inspection)),
        },
      },
      context,
      { parent: this, dependsOn: after, ...stateful(context) },
    );
  }

  /** Logs in as a role that creates roles and databases and is no superuser. */
  private createProvider(name: string, { reach, credentials, cluster }: DatabaseCatalogArgs) {
    return new postgresql.Provider(
      `${name}-provider`,
      {
        ...reach(),
        database: 'postgres',
        username: providerRole,
        password: credentials.provider.apply(({ password }) => password),
        superuser: false,
        connectTimeout: 15,
      },
      { parent: this, dependsOn: [cluster] },
    );
  }
}
