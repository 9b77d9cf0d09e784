import { HoldfastError } from '../../../core/errors';
import { run } from '../process';

/** The oldest version that Holdfast is for. */
const oldestPostgres = 13;

/** The newest PostgreSQL that each pgBackRest knows, by its minor version: https://pgbackrest.org/release.html */
const newestPostgres: readonly (readonly [pgbackrest: number, postgres: number])[] = [
  [57, 18],
  [53, 17],
  [48, 16],
  [41, 15],
];

/** The newest major version of PostgreSQL that a release of pgBackRest (`2.45`) knows; null for one that is too old. */
export function newestSupported(pgbackrest: string): number | null {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(pgbackrest) ?? [];
  if (major === undefined || minor === undefined || Number(major) < 2) return null;
  if (Number(major) > 2) return newestPostgres[0]?.[1] ?? null;
  return newestPostgres.find(([from]) => Number(minor) >= from)?.[1] ?? null;
}

/**
 * Refuses a version of PostgreSQL that the pgBackRest on this machine can't back up.
 * @throws HoldfastError `configuration`, naming what is supported.
 */
export async function assertSupported(cluster: string, version: number): Promise<void> {
  const { stdout } = await run('pgbackrest', ['version'], { timeoutSeconds: 10 });
  const release = stdout.trim().replace(/^pgBackRest /, '');
  const newest = newestSupported(release);
  if (newest !== null && version >= oldestPostgres && version <= newest) return;
  throw new HoldfastError(
    'configuration',
    newest === null
      ? `pgBackRest ${release} on this machine is too old`
      : `cluster ${cluster} is PostgreSQL ${version}; with pgBackRest ${release} versions ${oldestPostgres} to ${newest} are supported`,
    {
      hint:
        version < oldestPostgres
          ? 'Upgrade the cluster first.'
          : 'Install a newer pgBackRest on the cluster’s machine, or use an older PostgreSQL.',
    },
  );
}
