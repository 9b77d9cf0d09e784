import type { CustomResourceOptions, Resource } from '@pulumi/pulumi';
import type { HostPlan, StackContext } from './context';

/**
 * Options of what holds a production cluster or its data up. Pulumi refuses to delete or replace it, and says so in the
 * preview. Staging is taken apart freely.
 */
export const stateful = ({ environment }: Pick<StackContext, 'environment'>): CustomResourceOptions =>
  environment === 'production' ? { protect: true } : {};

/**
 * Options of what is inside a cluster. In production Pulumi can forget it, never drop it. In staging it goes with
 * its cluster; behind SSH only so, because the tunnel that the PostgreSQL provider needs ends before Pulumi deletes.
 */
export function catalogued(context: StackContext, plan: HostPlan, cluster: Resource): CustomResourceOptions {
  if (context.environment === 'production') return { protect: true, retainOnDelete: true };
  const overSsh = plan.specification.settings.connection.type === 'ssh';
  return { deletedWith: cluster, ...(overSsh ? { retainOnDelete: true } : {}) };
}
