import type { Resource } from '../../../policy/resource';
import type { Rule } from '../../../policy/rule';
import { managed, minimal } from '../../unit/core/rds/fixtures';
import { properties, resourceOf, stackOf, type StackOptions } from './fixtures';

/** Settings of a stack whose cluster shop is an instance of RDS that Pulumi manages; and of another cluster, on a machine. */
export const onRds = (cluster: object = {}, source: object = {}) => ({
  environment: 'production',
  clusters: {
    shop: {
      engine: 'rds',
      ...minimal,
      instance: 'shop-production',
      source: { ...managed, ...source },
      ...cluster,
    },
    crm: {},
  },
});

/** A resource of AWS with its inputs as Pulumi hands them to a policy. */
export function awsResource(type: string, inputs: object, overrides: Partial<Resource> = {}): Resource {
  return resourceOf({
    type: `aws:${type}`,
    urn: `urn:pulumi:prod::shop::aws:${type}::${overrides.name ?? 'shop'}`,
    properties: properties(inputs),
    ...overrides,
  });
}

const soundDatabase = {
  engineVersion: '16.4',
  storageEncrypted: true,
  manageMasterUserPassword: true,
  backupRetentionPeriod: 14,
  deleteAutomatedBackups: false,
  deletionProtection: true,
  skipFinalSnapshot: false,
  finalSnapshotIdentifier: 'shop-production-final-7c1d',
  applyImmediately: false,
};

const soundInstance = {
  ...soundDatabase,
  identifier: 'shop-production',
  engine: 'postgres',
  instanceClass: 'db.m7g.large',
  allocatedStorage: 100,
  maxAllocatedStorage: 500,
  username: 'holdfast',
  parameterGroupName: 'shop-postgres16',
  publiclyAccessible: false,
};

const soundCluster = {
  ...soundDatabase,
  clusterIdentifier: 'shop-production',
  engine: 'aurora-postgresql',
  masterUsername: 'holdfast',
  dbClusterParameterGroupName: 'shop-aurora16',
};

const forced = [{ name: 'rds.force_ssl', value: '1' }];

/** Of each of these everything is as it should be in production; a test changes one input. */
export const instance = (changes: object = {}, overrides: Partial<Resource> = {}) =>
  awsResource('rds/instance:Instance', { ...soundInstance, ...changes }, overrides);
export const cluster = (changes: object = {}, overrides: Partial<Resource> = {}) =>
  awsResource('rds/cluster:Cluster', { ...soundCluster, ...changes }, overrides);
export const clusterInstance = (changes: object = {}) =>
  awsResource('rds/clusterInstance:ClusterInstance', { publiclyAccessible: false, ...changes });
export const parameterGroup = (changes: object = {}) =>
  awsResource('rds/parameterGroup:ParameterGroup', {
    name: 'shop-postgres16',
    family: 'postgres16',
    parameters: [{ name: 'log_statement', value: 'ddl' }, ...forced],
    ...changes,
  });
export const clusterParameterGroup = (changes: object = {}) =>
  awsResource('rds/clusterParameterGroup:ClusterParameterGroup', {
    name: 'shop-aurora16',
    family: 'aurora-postgresql16',
    parameters: forced,
    ...changes,
  });

/** The types of AWS whose resources carry data, or what it can't be read without. */
export const statefulOnAws = [
  'rds/instance:Instance',
  'rds/cluster:Cluster',
  'rds/snapshot:Snapshot',
  'rds/snapshotCopy:SnapshotCopy',
  'rds/clusterSnapshot:ClusterSnapshot',
  'rds/clusterSnapshotCopy:ClusterSnapshotCopy',
  'backup/vault:Vault',
  'backup/logicallyAirGappedVault:LogicallyAirGappedVault',
  'kms/key:Key',
  'kms/replicaKey:ReplicaKey',
  'kms/externalKey:ExternalKey',
  'kms/replicaExternalKey:ReplicaExternalKey',
] as const;

/** The violations of a rule on a program of these resources, as a whole. */
export function judgedProgram(
  rule: Rule,
  resources: readonly Resource[],
  configuration: unknown = {},
  options: StackOptions = {},
) {
  const stack = stackOf(options);
  for (const resource of resources) stack.see(resource);
  return rule.judgeProgram?.(stack, configuration);
}
