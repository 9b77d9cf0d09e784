import type { RdsClusterSettings } from '../core/settings/stack';
import { input, type Resource } from './resource';
import type { DeclaredStack } from './stack';

/** What a type of Amazon's that holds databases calls the things that the rules ask for. */
interface DatabaseType {
  /** Inputs with the master user's password. */
  readonly passwords: readonly string[];
  /** Inputs that fill it with the data of something else when it is made. Changing one makes it anew. */
  readonly restoreSources: readonly string[];
  /** The input that names its parameter group, and the type that declares one. */
  readonly parameterGroup: { readonly input: string; readonly type: string };
  /** Days of automated backups when the program says nothing. */
  readonly retentionWhenUnset: number;
}

const databaseTypes: Readonly<Record<string, DatabaseType>> = {
  'aws:rds/instance:Instance': {
    passwords: ['password', 'passwordWo'],
    restoreSources: ['snapshotIdentifier', 'restoreToPointInTime', 'replicateSourceDb', 's3Import'],
    parameterGroup: { input: 'parameterGroupName', type: 'aws:rds/parameterGroup:ParameterGroup' },
    retentionWhenUnset: 0,
  },
  // Aurora, and DB clusters of several zones: no engine of Holdfast's, but production databases all the same.
  'aws:rds/cluster:Cluster': {
    passwords: ['masterPassword', 'masterPasswordWo'],
    restoreSources: ['snapshotIdentifier', 'restoreToPointInTime', 'replicationSourceIdentifier', 's3Import'],
    parameterGroup: {
      input: 'dbClusterParameterGroupName',
      type: 'aws:rds/clusterParameterGroup:ClusterParameterGroup',
    },
    retentionWhenUnset: 1,
  },
};

/** How a resource that holds databases is asked; undefined for all others. */
export function databaseType({ type }: Resource): DatabaseType | undefined {
  return databaseTypes[type];
}

/** An instance of a DB cluster: it serves, and holds nothing itself. */
export function isClusterInstance({ type }: Resource): boolean {
  return type === 'aws:rds/clusterInstance:ClusterInstance';
}

/** Whether PostgreSQL runs in it. What is made from something else has the engine of that, and mostly doesn't name it. */
export function isPostgres(resource: Resource): boolean {
  const engine = input(resource, 'engine');
  return typeof engine !== 'string' || engine === 'postgres' || engine === 'aurora-postgresql';
}

/** Whether RDS can retain its automated backups after it is deleted: all but DB clusters that aren't Aurora. */
export function canRetainBackups(resource: Resource): boolean {
  if (databaseType(resource) === undefined) return false;
  const engine = input(resource, 'engine');
  return (
    resource.type !== 'aws:rds/cluster:Cluster' || typeof engine !== 'string' || engine.startsWith('aurora')
  );
}

/** The cluster in the stack's settings that an instance is, by its identifier. */
export function clusterOf(
  resource: Resource,
  { clusters }: DeclaredStack,
): { readonly name: string; readonly settings: RdsClusterSettings } | undefined {
  const identifier = input(resource, 'identifier');
  for (const [name, settings] of Object.entries(clusters))
    if (settings.engine === 'rds' && settings.instance === identifier) return { name, settings };
  return undefined;
}
