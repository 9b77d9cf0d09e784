import * as pulumi from '@pulumi/pulumi';
import { verdictOn } from '../jobs/host-calls';
import { BackupSchedule } from './backup-schedule';
import { ownProgram } from '../jobs/program';
import { isHostPlan, type ClusterPlan, type HostPlan, type RdsPlan, type StackContext } from './context';
import { knownCredentials } from './credentials';
import { DatabaseCatalog } from './database-catalog';
import { HostCluster } from './host-cluster';
import { shown, type ClusterOutputs } from './outputs';
import { reachable } from './reachable';
import type * as onRds from './rds/protected-rds';

export interface ProtectedDatabaseArgs {
  readonly plan: HostPlan;
  readonly context: StackContext;
}

/** What a stack says of a cluster on a machine. */
export interface HostOutputs extends ClusterOutputs {
  /** The name of the cluster in its repository. */
  readonly stanza: pulumi.Output<string>;
}

/**
 * One database system that is backed up, verified and gated: a cluster, the databases inside it, and the timer that
 * keeps its promises. Which engine runs it is decided by its settings.
 */
export class ProtectedDatabase extends pulumi.ComponentResource {
  /** The name of the cluster. */
  readonly cluster: string;
  readonly outputs: HostOutputs;
  /** Passwords of the roles that log in, by role. Secret. */
  readonly passwords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: ProtectedDatabaseArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:index:ProtectedDatabase', name, {}, opts);
    const { plan, context } = args;

    const cluster = new HostCluster(`${name}-cluster`, { plan, context }, { parent: this });
    const credentials = knownCredentials(plan, context, cluster.applied);
    const catalog = new DatabaseCatalog(
      `${name}-catalog`,
      {
        plan,
        context,
        credentials,
        reach: () => reachable(plan.specification, context, credentials),
        cluster: cluster.command,
      },
      { parent: this },
    );
    const schedule = new BackupSchedule(
      `${name}-schedule`,
      { plan, context },
      { parent: this, dependsOn: [cluster, catalog] },
    );

    this.cluster = plan.specification.cluster;
    this.passwords = catalog.passwords;
    this.outputs = {
      host: credentials.endpoint.apply(({ host }) => host),
      port: credentials.endpoint.apply(({ port }) => port),
      stanza: shown(credentials.known, ({ stanza }) => stanza),
      // Read when all else is done: what is true after the update.
      verdict: pulumi
        .unsecret(schedule.command.stdout)
        .apply(() => verdictOn(plan.specification, { home: context.home })),
    };
    this.registerOutputs({ ...this.outputs });
  }
}

/** What the rest of a stack knows of a database system, whatever engine runs it. */
export interface Protected extends pulumi.Resource {
  /** The name of the cluster. */
  readonly cluster: string;
  readonly outputs: ClusterOutputs;
  /** Passwords of the roles that log in, by role. Secret. */
  readonly passwords: pulumi.Output<Record<string, string>>;
}

/** The database system of a plan. What AWS needs is only loaded where a cluster is there. */
export function protectedDatabase(plan: ClusterPlan, context: StackContext): Protected {
  const { cluster } = plan.specification;
  if (isHostPlan(plan)) return new ProtectedDatabase(cluster, { plan, context });
  // Pulumi’s runner leaves `import()` to Node.js, which doesn’t know TypeScript.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { ProtectedRds } = require('./rds/protected-rds') as typeof onRds;
  return new ProtectedRds(cluster, { plan: plan as RdsPlan, context, program: ownProgram('lambda') });
}
