import * as pulumi from '@pulumi/pulumi';
import type { HostPlan, StackContext } from './context';
import { hostCommand, type HostCommand } from './host-command';
import { stateful } from './protection';
import { revisionOf } from './revision';

export interface BackupScheduleArgs {
  readonly plan: HostPlan;
  readonly context: StackContext;
}

/**
 * The one timer entry of a cluster: a systemd timer, or a line of cron, that runs `holdfast run-due` every few minutes; what is
 * due is decided then, from the evidence and the declared schedules. In production it outlives its resource, as the
 * cluster does: what holds data stays backed up.
 */
export class BackupSchedule extends pulumi.ComponentResource {
  readonly command: HostCommand;

  constructor(name: string, args: BackupScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:host:BackupSchedule', name, {}, opts);
    const { plan, context } = args;
    const { specification } = plan;
    this.command = hostCommand(
      `${name}-timer`,
      {
        place: specification.settings.connection,
        create: 'schedule',
        ...(context.environment === 'staging' ? { delete: 'unschedule' } : {}),
        document: { cluster: specification.cluster },
        // A timer entry that was edited by hand is drift like any other.
        labels: { HOLDFAST_REVISION: String(revisionOf(plan.inspection)) },
      },
      context,
      { parent: this, ...stateful(context) },
    );
    this.registerOutputs();
  }
}
