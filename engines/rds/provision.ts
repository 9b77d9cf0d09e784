import type { DBInstance } from '@aws-sdk/client-rds';
import { list, optional } from './answers';
import type { RdsContext } from './context';
import type { RdsSettings } from '../../core/settings/rds';
import { pendingModifications } from './maintenance';
import { readRecord, updateRecord } from './record';
import { servingInstance, type Serving } from './serving';

/**
 * Records a completed apply. The first one records which instance is the cluster's; from then on no other is.
 * @throws HoldfastError `refused` when another instance has its name now.
 */
export async function recordApplied(context: RdsContext, revision: number): Promise<Serving> {
  const { instance } = await servingInstance(context);
  const record = await updateRecord(context, {
    identity: optional(instance.DbiResourceId),
    revision,
    appliedAt: context.clock.now(),
  });
  return { record, instance };
}

/** What a cluster’s record begins with: whether Holdfast makes the instance, or it is there already. */
export function beginsAs({ source }: RdsSettings): 'provisioning' | 'adopting' {
  return source.mode === 'existing' ? 'adopting' : 'provisioning';
}

/** Ends first provision or adoption, after the first verified backup. Does nothing when they have ended already. */
export async function establish(context: RdsContext): Promise<void> {
  const record = await readRecord(context);
  if (record === null || record.phase === 'established') return;
  await updateRecord(context, { phase: 'established', establishedAt: context.clock.now() });
}

/** Modifications that wait for the maintenance window or a reboot, one line each. What is declared is Pulumi's to compare. */
export function pendingChanges(instance: DBInstance): readonly string[] {
  const parameters = list(instance.DBParameterGroups)
    .filter(({ ParameterApplyStatus }) => ParameterApplyStatus === 'pending-reboot')
    .map(({ DBParameterGroupName }) => `parameters of ${String(DBParameterGroupName)} wait for a reboot`);
  return [...pendingModifications(instance), ...parameters];
}
