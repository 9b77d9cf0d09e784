import * as pulumi from '@pulumi/pulumi';
import { HoldfastError } from '../core/errors';
import { isHostPlan, type ClusterPlan } from './context';
import { reported } from './failure';

/**
 * Refuses to update a cluster that Pulumi knows and of which its machine knows nothing: its home isn't mounted or was moved
 * (`HOLDFAST_HOME`), or the machine was installed anew. Applied there, an empty cluster would come up in its place, as if it
 * were the first. Has to be called before any resource is made.
 */
export function registerPresenceHook(plans: readonly ClusterPlan[]): void {
  const check = ({ name }: { readonly name: string }) => assertPresent(plans, name);
  const hook = new pulumi.ResourceHook('cluster-is-there', check, { onDryRun: true });
  pulumi.runtime.registerResourceTransform(withPresenceHook(hook, plans));
}

/** A transform that hangs the hook on the clusters' Commands, before the hooks that they have. */
export const withPresenceHook =
  (hook: pulumi.ResourceHook, plans: readonly ClusterPlan[]): pulumi.ResourceTransform =>
  ({ name, props, opts }) => {
    if (planOf(plans, name) === undefined) return undefined;
    const { hooks } = opts;
    return {
      props,
      opts: { ...opts, hooks: { ...hooks, beforeUpdate: [hook, ...(hooks?.beforeUpdate ?? [])] } },
    };
  };

/** @throws before an update of the Command of this name, when no apply is on record on the cluster's machine. */
export function assertPresent(plans: readonly ClusterPlan[], name: string): void {
  const plan = planOf(plans, name);
  // A Command that Pulumi can update was created, so an apply was completed once, and recorded.
  if (plan === undefined || plan.inspection.revision > 0) return;
  const { cluster } = plan.specification;
  throw reported(
    new HoldfastError(
      'refused',
      `cluster ${cluster} was applied before, and its machine knows nothing of it any more`,
      {
        hint: 'Is the disk of Holdfast’s home mounted, and is it the same home (HOLDFAST_HOME, connection.home) and machine? When it is lost, bring it back from its repository (docs/operations.md); to begin anew on purpose, have Pulumi forget it first (pulumi state delete). Nothing was changed.',
      },
    ),
  );
}

function planOf(plans: readonly ClusterPlan[], name: string): ClusterPlan | undefined {
  // As HostCluster and ProtectedRds name it.
  return plans.find(
    plan => `${plan.specification.cluster}${isHostPlan(plan) ? '-cluster' : ''}-apply` === name,
  );
}
