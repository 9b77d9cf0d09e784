import type { CustomResourceOptions, Resource } from '@pulumi/pulumi';
import { isHostPlan, type ClusterPlan, type StackContext } from './context';

/**
 * Options of what holds a production cluster or its data up. Pulumi refuses to delete or replace it, and says so in the
 * preview. Staging is taken apart freely.
 */
export const stateful = ({ environment }: Pick<StackContext, 'environment'>): CustomResourceOptions =>
  environment === 'production' ? { protect: true } : {};

/**
 * Options of what is inside a cluster. In production Pulumi can forget it, never drop it. In staging it goes with its cluster;
 * only so where it is reached through a tunnel, or may be: over SSH ours ends before Pulumi deletes, and on RDS a person's
 * may be closed.
 */
export function catalogued(
  context: StackContext,
  plan: ClusterPlan,
  cluster: Resource,
): CustomResourceOptions {
  if (context.environment === 'production') return { protect: true, retainOnDelete: true };
  const here = isHostPlan(plan) && plan.specification.settings.connection.type === 'local';
  return { deletedWith: cluster, ...(here ? {} : { retainOnDelete: true }) };
}
