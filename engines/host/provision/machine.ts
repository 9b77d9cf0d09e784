import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import type { HostSpecification } from '../../../core/specification';
import { readIfThere, writeAtomically } from '../files';
import { run } from '../process';
import { pathsOf, programFile, type ClusterPaths, ensureSocketDirectory } from '../layout';
import { becomeOwner, identityOf, type Identity } from '../owner';

/** Where a cluster is provisioned. */
export interface Place {
  /** Holdfast's directory on this machine. */
  readonly home: string;
  /** The program to install for timers; null leaves what is there. */
  readonly program: string | null;
}

/**
 * Makes the directories of a cluster and installs the program; then, as root, becomes the cluster's owner for good. All that
 * needs root is done here (and by the schedule).
 */
export async function prepareMachine(specification: HostSpecification, place: Place): Promise<ClusterPaths> {
  const paths = pathsOf(place.home, specification);
  assertPlainPath(specification.cluster, paths.root);
  assertPlainPath(specification.cluster, paths.dataDirectory);
  const isRoot = process.getuid?.() === 0;
  const identity = isRoot ? identityOf(specification.settings.owner) : null;
  const shared = isRoot ? 0o755 : 0o700;
  await makeDirectory(place.home, shared, null);
  if (place.program !== null) await installProgram(place.program, programFile(place.home), shared);
  for (const parent of [path.dirname(paths.root), path.dirname(paths.repository)])
    await makeDirectory(parent, shared, null);
  const { mode } = specification.settings.source;
  await makeDirectory(paths.root, 0o700, identity);
  for (const directory of privateDirectories(specification, paths))
    await makeDirectory(directory, 0o700, identity);
  // An adopted cluster's directory is as its owner made it.
  if (mode === 'managed') await makeDirectory(paths.dataDirectory, 0o700, identity, 0o755);
  becomeOwner(specification.settings.owner);
  if (mode === 'managed') await ensureSocketDirectory(paths.socketDirectory);
  return paths;
}

/** pg_ctl starts the server by a shell, with paths in double quotes. */
function assertPlainPath(cluster: string, file: string): void {
  const found = /["$`\\\n]/.exec(file)?.[0];
  if (found === undefined) return;
  throw new HoldfastError(
    'configuration',
    `the path ${file} of cluster ${cluster} has the character ${found}`,
    {
      hint: 'PostgreSQL can’t be started there: name another directory (HOLDFAST_HOME, `source.dataDirectory`). Nothing was created.',
    },
  );
}

function privateDirectories(specification: HostSpecification, paths: ClusterPaths): string[] {
  const repositories = specification.settings.backups.repositories.flatMap(repository =>
    repository.type === 'local' ? [repository.path ?? paths.repository] : [],
  );
  return [...repositories, paths.spool, paths.log, paths.lock, paths.clones, paths.aside];
}

/** Directories on the way are made too, with the mode `onTheWay`; those that exist keep their mode and owner. */
async function makeDirectory(
  directory: string,
  mode: number,
  owner: Identity | null,
  onTheWay = mode,
): Promise<void> {
  const first = await fs.mkdir(path.dirname(directory), { recursive: true, mode: onTheWay });
  if (first !== undefined && owner !== null) await fs.chmod(first, onTheWay);
  try {
    await fs.mkdir(directory, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw error;
  }
  // The mode of mkdir() is cut by the umask.
  await fs.chmod(directory, mode);
  if (owner !== null) await fs.chown(directory, owner.uid, owner.gid);
}

async function installProgram(from: string, to: string, directoryMode: number): Promise<void> {
  if (path.resolve(from) === to) return;
  await makeDirectory(path.dirname(to), directoryMode, null);
  const content = await fs.readFile(from, 'utf8');
  if ((await readIfThere(to)) !== content) await writeAtomically(to, content, directoryMode);
  // So that it begins sooner (scripts/loader.cjs), also by another version of Node.js than before. It runs without, too.
  await run(process.execPath, [to, '--write-code-cache'], { timeoutSeconds: 60 }).catch(() => undefined);
}
