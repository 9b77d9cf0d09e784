import * as pulumi from '@pulumi/pulumi';
import type { Applied, ApplyRequest } from '../core/host-documents';
import { parseApplied } from './applied';
import type { HostPlan, StackContext } from './context';
import { reporting } from './failure';
import { hostCommand, uploadProgram, type HostCommand } from './host-command';
import { stateful } from './protection';
import { revisionOf } from './revision';

export interface HostClusterArgs {
  readonly plan: HostPlan;
  readonly context: StackContext;
}

/**
 * A PostgreSQL cluster on a machine, created or adopted, with its repository; applied by `holdfast host apply` there, in place
 * whenever a setting, the program or something on the host changed.
 *
 * In production Pulumi can't delete it: it is protected, and its deletion would only be forgotten. In staging its deletion
 * removes the cluster and its backups.
 */
export class HostCluster extends pulumi.ComponentResource {
  /** What the cluster is: endpoint, identity, credentials. Secret. */
  readonly applied: pulumi.Output<Applied>;
  /** What stands for the cluster: everything inside it depends on this. */
  readonly command: HostCommand;

  constructor(name: string, args: HostClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:host:HostCluster', name, {}, opts);
    const { plan, context } = args;
    const { specification } = plan;
    const { connection } = specification.settings;
    const revision = revisionOf(plan.inspection);
    const document: ApplyRequest = { specification, revision };

    const uploads = uploadProgram(name, connection, context, { parent: this });
    this.command = hostCommand(
      `${name}-apply`,
      {
        place: connection,
        create: 'apply',
        ...(context.environment === 'staging' ? { delete: 'remove' } : {}),
        document: { ...document, cluster: specification.cluster },
        labels: { HOLDFAST_PROGRAM: context.program.hash, HOLDFAST_REVISION: String(revision) },
      },
      context,
      { parent: this, dependsOn: uploads, ...stateful(context) },
    );
    this.applied = pulumi.secret(this.command.stdout.apply(reporting(parseApplied)));
    this.registerOutputs({ applied: this.applied });
  }
}
