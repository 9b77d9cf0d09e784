import type { Applied, ClusterAccess, Inspection } from '../core/host-documents';
import type { Environment } from '../core/settings/stack';
import {
  isHost,
  isRds,
  type HostSpecification,
  type RdsSpecification,
  type Specification,
} from '../core/specification';

/** What all components of one stack share. */
export interface StackContext {
  readonly environment: Environment;
  /** The program that runs on the clusters' machines. */
  readonly program: { readonly file: string; readonly hash: string };
  /** Holdfast's directory on this machine; on a machine over SSH that of its connection counts. */
  readonly home: string;
  /** Whether this run only previews. */
  readonly dryRun: boolean;
}

/** A cluster as it shall be, and as its machine was found before this run. */
export interface ClusterPlan<
  S extends Specification = Specification,
  Access extends ClusterAccess = ClusterAccess,
> {
  readonly specification: S;
  readonly inspection: Inspection<Access>;
}

/** The same of a cluster on Amazon RDS. */
export type RdsPlan = ClusterPlan<RdsSpecification>;

/** The same of a cluster on a machine. */
export type HostPlan = ClusterPlan<HostSpecification, Applied>;

export function isHostPlan(plan: ClusterPlan): plan is HostPlan {
  return isHost(plan.specification);
}

export function isRdsPlan(plan: ClusterPlan): plan is RdsPlan {
  return isRds(plan.specification);
}
