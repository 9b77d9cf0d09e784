import path from 'node:path';
import type { HostSpecification } from '../../core/specification';
import { exists, readIfThere } from './files';
import type { ClusterPaths } from './layout';
import { parseSettings } from './postgres/configuration-file';
import { archiveCommand } from './postgres/settings';

/*
 * What a cluster leaves when its directory below Holdfast's home is gone: a disk that isn't mounted must not make it pass
 * for one that never was.
 */

/** Whether a local repository has a directory of a cluster's backups or WAL; nothing of it is read. */
export async function hasBackups(repository: string, cluster: string): Promise<boolean> {
  for (const kind of ['backup', 'archive'])
    if (await exists(path.join(repository, kind, cluster))) return true;
  return false;
}

/** What shows that a cluster without a record is known all the same, one clause each. */
export async function tracesOf(
  { cluster, settings }: HostSpecification,
  paths: ClusterPaths,
): Promise<readonly string[]> {
  if (settings.source.mode === 'existing') {
    // Set once it was adopted; a repository may be older than the adoption.
    const overrides = await readIfThere(path.join(paths.dataDirectory, 'postgresql.auto.conf'));
    const { archive_command: command } = parseSettings(overrides ?? '');
    return command === archiveCommand(paths)
      ? [`${paths.dataDirectory} archives to ${paths.configuration}`]
      : [];
  }
  const local = settings.backups.repositories.flatMap(repository =>
    repository.type === 'local' ? [repository.path ?? paths.repository] : [],
  );
  const found = await Promise.all(local.map(repository => hasBackups(repository, cluster)));
  return local
    .filter((_, index) => found[index])
    .map(repository => `${repository} has backups or WAL of a cluster ${cluster}`);
}
