import type * as rds from '@pulumi/aws/rds';
import type * as pulumi from '@pulumi/pulumi';
import { instanceChoices } from '../../core/rds/choices';
import type { ManagedInstance } from '../../core/settings/rds';
import { tagsFor, type RdsCluster } from './context';

/**
 * The inputs of an instance that serves. What it is restored from is none of them: set or changed later, it would put another
 * instance, with the data of back then, in its place. A restored or cloned instance is made by a job.
 */
export type ServingInputs = Omit<
  rds.InstanceArgs,
  'snapshotIdentifier' | 'restoreToPointInTime' | 'replicateSourceDb' | 's3Import'
>;

/** What an instance lies in, made beside it. */
export interface Surroundings {
  readonly keyArn: pulumi.Input<string>;
  readonly subnetGroup: pulumi.Input<string>;
  readonly securityGroup: pulumi.Input<string>;
  readonly parameterGroup: pulumi.Input<string>;
  readonly finalSnapshot: pulumi.Input<string>;
}

export function servingInputs(
  cluster: RdsCluster,
  source: ManagedInstance,
  made: Surroundings,
): ServingInputs {
  const { multiAz, deletionProtection } = instanceChoices(cluster.environment, source);
  return {
    identifier: cluster.settings.instance,
    engine: 'postgres',
    engineVersion: source.version,
    autoMinorVersionUpgrade: false,
    allowMajorVersionUpgrade: source.allowMajorUpgrade,
    instanceClass: source.class,
    multiAz,
    ...storageInputs(source.storage),
    storageEncrypted: true,
    kmsKeyId: made.keyArn,
    dbSubnetGroupName: made.subnetGroup,
    vpcSecurityGroupIds: [made.securityGroup],
    publiclyAccessible: false,
    port: source.port,
    parameterGroupName: made.parameterGroup,
    username: source.masterUser,
    manageMasterUserPassword: true,
    masterUserSecretKmsKeyId: made.keyArn,
    iamDatabaseAuthenticationEnabled: source.iamAuthentication,
    backupRetentionPeriod: source.automatedBackups.retentionDays,
    backupWindow: source.automatedBackups.window,
    maintenanceWindow: source.maintenanceWindow,
    copyTagsToSnapshot: true,
    deleteAutomatedBackups: false,
    deletionProtection,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: made.finalSnapshot,
    applyImmediately: source.applyImmediately,
    enabledCloudwatchLogsExports: ['postgresql', 'upgrade'],
    ...(source.performanceInsights
      ? {
          performanceInsightsEnabled: true,
          performanceInsightsRetentionPeriod: 7,
          performanceInsightsKmsKeyId: made.keyArn,
        }
      : { performanceInsightsEnabled: false }),
    tags: tagsFor(cluster),
  };
}

/**
 * Where RDS may raise the storage, the provider takes a size below what it has become for none of its business: nothing is
 * shrunk or replaced, and a larger size still raises it. That is why no change of it is ignored.
 */
function storageInputs({ type, size, maximum, iops, throughput }: ManagedInstance['storage']) {
  return {
    storageType: type,
    allocatedStorage: size,
    ...(maximum === 'fixed' ? {} : { maxAllocatedStorage: maximum }),
    ...(iops === undefined ? {} : { iops }),
    ...(throughput === undefined ? {} : { storageThroughput: throughput }),
  };
}
