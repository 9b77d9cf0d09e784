import * as pulumi from '@pulumi/pulumi';
import { refuseTakeover } from '../core/catalog';
import type { Existing } from '../core/host-documents';
import type { ClusterPlan } from './context';
import { reported } from './failure';

const types: Readonly<Record<Existing['type'], string>> = {
  role: 'postgresql:index/role:Role',
  database: 'postgresql:index/database:Database',
  schema: 'postgresql:index/schema:Schema',
};

/**
 * Has Pulumi import what the cluster has already, as it is declared, where creating it would fail: an adopted cluster, or
 * one whose Pulumi state was lost. The preview shows it as an import. Without meaning for what Pulumi knows already.
 */
export function imported(
  existing: readonly Existing[],
  type: Existing['type'],
  id: string,
): pulumi.CustomResourceOptions {
  const found = existing.find(one => one.type === type && one.id === id);
  return found?.conflict === null ? { import: id } : {};
}

/**
 * Refuses, in the preview already, to create what the cluster has already, but not as declared. Has to be called before any
 * resource is made.
 */
export function registerTakeoverHook(plans: readonly ClusterPlan[]): void {
  const check = ({ name }: { readonly name: string }) => assertNoTakeover(plans, name);
  const hook = new pulumi.ResourceHook('nothing-is-taken-over', check, { onDryRun: true });
  pulumi.runtime.registerResourceTransform(withTakeoverHook(hook, plans));
}

/** A transform that hangs the hook on what is in the way, before the hooks that it has. */
export const withTakeoverHook =
  (hook: pulumi.ResourceHook, plans: readonly ClusterPlan[]): pulumi.ResourceTransform =>
  ({ type, name, props, opts }) => {
    const isInTheWay = conflicting(plans, name).some(({ existing }) => types[existing.type] === type);
    if (!isInTheWay) return undefined;
    const { hooks } = opts;
    return {
      props,
      opts: { ...opts, hooks: { ...hooks, beforeCreate: [hook, ...(hooks?.beforeCreate ?? [])] } },
    };
  };

/** @throws before the creation of a resource of this name, when what it would create is there already. */
export function assertNoTakeover(plans: readonly ClusterPlan[], name: string): void {
  for (const { plan } of conflicting(plans, name)) {
    const { specification, inspection } = plan;
    const refusal = refuseTakeover(specification.cluster, inspection.existing);
    if (refusal !== undefined) throw reported(refusal);
  }
}

function conflicting(plans: readonly ClusterPlan[], name: string) {
  return plans.flatMap(plan =>
    plan.inspection.existing
      .filter(({ conflict, id }) => conflict !== null && name === nameOf(plan, id))
      .map(existing => ({ plan, existing })),
  );
}

/** As DatabaseCatalog names it. */
const nameOf = ({ specification }: ClusterPlan, id: string): string =>
  `${specification.cluster}-catalog-${id.replace('.', '-')}`;
