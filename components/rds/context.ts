import { getCallerIdentityOutput } from '@pulumi/aws/getCallerIdentity';
import { getPartitionOutput } from '@pulumi/aws/getPartition';
import * as pulumi from '@pulumi/pulumi';
import type { Place } from '../../core/rds/permissions/document';
import type { RdsSettings } from '../../core/settings/rds';
import type { Environment } from '../../core/settings/stack';

/** What the components of one cluster on Amazon RDS share. */
export interface RdsCluster {
  readonly cluster: string;
  readonly environment: Environment;
  readonly settings: RdsSettings;
  readonly place: pulumi.Output<Place>;
}

/** Where the credentials and the region of these options lead. */
export function placeOf(region: string, options: pulumi.InvokeOptions): pulumi.Output<Place> {
  return pulumi
    .all([getCallerIdentityOutput({}, options), getPartitionOutput({}, options)])
    .apply(([{ accountId }, { partition }]) => ({ partition, account: accountId, region }));
}

/**
 * Tags of all that is made for a cluster. None is one of those that the engine writes on snapshots and clones: RDS copies the
 * tags of an instance to its snapshots.
 */
export function tagsFor({ cluster, environment, settings }: RdsCluster): Record<string, string> {
  return { ...settings.tags, 'holdfast:belongs-to': cluster, 'holdfast:environment': environment };
}
