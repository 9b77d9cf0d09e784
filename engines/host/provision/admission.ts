import type { HostSpecification } from '../../../core/specification';
import { HoldfastError } from '../../../core/errors';
import type { ClusterPaths } from '../layout';
import type { ClusterRecord } from '../record';

/**
 * Refuses what would make a cluster another one than it is on record: its environment, how it came to be, its version and
 * where its data is are decided once.
 * @throws HoldfastError `refused`
 */
export function assertSameCluster(
  specification: HostSpecification,
  paths: Pick<ClusterPaths, 'dataDirectory'>,
  record: ClusterRecord,
): void {
  const { cluster, environment, settings } = specification;
  const refuse = (what: string, hint: string): never => {
    throw new HoldfastError('refused', `cluster ${cluster} ${what}`, {
      hint: `${hint} Nothing was changed.`,
    });
  };
  if (record.environment === 'production' && environment !== 'production')
    refuse(
      `was provisioned as production, and can't be declared ${environment}`,
      'Declare it production again; a new cluster for staging needs a name of its own.',
    );
  if (record.mode !== settings.source.mode)
    refuse(
      `was ${record.mode === 'managed' ? 'created by Holdfast' : 'adopted'}, so its source can't become ${settings.source.mode}`,
      `Set source.mode to ${record.mode} again.`,
    );
  if (record.dataDirectory !== paths.dataDirectory)
    refuse(
      `has its data in ${record.dataDirectory}, not in ${paths.dataDirectory}: data is never moved`,
      'Set source.dataDirectory to what it was.',
    );
  if (settings.source.mode === 'managed' && record.pgVersion !== settings.source.version)
    refuse(
      `is PostgreSQL ${record.pgVersion}: another version is another cluster, which has to be migrated to`,
      `Set source.version to ${record.pgVersion} again, and declare a new cluster beside it.`,
    );
}

/**
 * Refuses a data directory that isn't the recorded cluster's.
 * @param found its system identifier; null when there is no cluster in it.
 * @throws HoldfastError `refused`
 */
export function assertIdentity(record: ClusterRecord, found: string | null): void {
  if (record.systemIdentifier === found) return;
  throw found === null
    ? new HoldfastError(
        'refused',
        `the data of cluster ${record.cluster} (system identifier ${record.systemIdentifier ?? 'not known'}) is not in ${record.dataDirectory}: it is not initialised anew`,
        {
          hint: 'Is its disk mounted? When the data is lost, restore it from the repository: `holdfast restore`, or docs/operations.md.',
        },
      )
    : new HoldfastError(
        'refused',
        `${record.dataDirectory} holds another cluster (system identifier ${found}) than ${record.cluster} on record (${record.systemIdentifier ?? 'none yet'})`,
        { hint: 'Is the right disk mounted there? Nothing was changed.' },
      );
}
