import * as z from 'zod';
import { isClusterCommand, type Resource } from '../resource';
import { defineRule, resourceViolation } from '../rule';

/** Resources whose deletion or replacement loses data, or the access to it. */
const statefulTypes: ReadonlySet<string> = new Set([
  'postgresql:index/database:Database',
  'postgresql:index/role:Role',
  'postgresql:index/schema:Schema',
  'aws:rds/instance:Instance',
  'aws:rds/cluster:Cluster',
  'aws:rds/snapshot:Snapshot',
  'aws:rds/snapshotCopy:SnapshotCopy',
  'aws:rds/clusterSnapshot:ClusterSnapshot',
  'aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy',
  'aws:backup/vault:Vault',
  'aws:backup/logicallyAirGappedVault:LogicallyAirGappedVault',
  // Without its key, whatever it encrypted is lost.
  'aws:kms/key:Key',
  'aws:kms/replicaKey:ReplicaKey',
  'aws:kms/externalKey:ExternalKey',
  'aws:kms/replicaExternalKey:ReplicaExternalKey',
]);

/** The resources that carry data, or what it can't be read without: clusters, databases, roles, schemas, backups, keys. */
export function isStateful(resource: Resource): boolean {
  return statefulTypes.has(resource.type) || isClusterCommand(resource);
}

export const productionProtected = defineRule({
  name: 'production-protected',
  description: 'Every stateful resource of production is protected, and no change of one is ignored.',
  severity: 'critical',
  remediation:
    'Set `protect: true`; remove the entry from `ignoreChanges` or allow it in the pack’s configuration.',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    allowedIgnoreChanges: z
      .array(
        z
          .string()
          .min(1)
          .regex(/^[^*]+$/, '`*` would ignore every change'),
      )
      .default([])
      .describe('Properties that `ignoreChanges` of a stateful resource may name.'),
  }),
  judgeResource(resource, { allowedIgnoreChanges }) {
    if (!isStateful(resource)) return [];
    const unprotected = resource.protect
      ? []
      : [
          resourceViolation(
            resource,
            'is not protected: removing it from the program would delete it with its data',
            'set the resource option protect: true',
          ),
        ];
    const ignored = resource.ignoreChanges.filter(property => !allowedIgnoreChanges.includes(property));
    if (ignored.length === 0) return unprotected;
    const allowed =
      allowedIgnoreChanges.length === 0 ? 'none is allowed' : `allowed: ${allowedIgnoreChanges.join(', ')}`;
    return [
      ...unprotected,
      resourceViolation(
        resource,
        `ignores changes of ${ignored.join(', ')} (${allowed}): it would drift from what is declared`,
        'remove ignoreChanges, or allow the property in production-protected.allowedIgnoreChanges of the pack’s configuration',
      ),
    ];
  },
});
