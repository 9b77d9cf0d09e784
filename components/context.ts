import type { Inspection } from '../core/host-documents';
import type { Environment } from '../core/settings/stack';
import type { Specification } from '../core/specification';

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
export interface ClusterPlan {
  readonly specification: Specification;
  readonly inspection: Inspection;
}
