import type { AlertSettings, ClusterSettings, Environment } from './settings/stack';

/**
 * What a cluster shall be: the JSON document that `apply` gets on standard input and keeps beside the cluster (0600, its
 * owner's), from where every later job reads it. It contains secrets.
 */
export interface Specification {
  readonly schema: 1;
  /** `project/stack` of Pulumi. */
  readonly stack: string;
  readonly environment: Environment;
  readonly cluster: string;
  readonly settings: ClusterSettings;
  readonly alerts: AlertSettings;
}
