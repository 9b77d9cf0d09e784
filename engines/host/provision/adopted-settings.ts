import type { HostSpecification } from '../../../core/specification';
import type { ClusterPaths } from '../layout';
import type { Settings } from '../postgres/configuration-file';
import { archiveCommand, archiveTimeout } from '../postgres/settings';

/**
 * What Holdfast sets, by ALTER SYSTEM, in a cluster that it adopted, beside `archive_mode` where that was off; all else
 * stays as its owner set it.
 */
export function adoptedSettings(
  specification: HostSpecification,
  paths: Pick<ClusterPaths, 'configuration' | 'cluster'>,
): Settings {
  return {
    archive_command: archiveCommand(paths),
    archive_timeout: `${archiveTimeout(specification)}s`,
  };
}
