import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { isAbsent, syncDirectory } from '../files';
import { run } from '../process';
import { dataVersion, systemIdentifierOf } from './data-directory';
import type { Installation } from './installation';
import { serverEnvironment } from './server';

/**
 * Where a cluster is initialised: inside its data directory, which may be a mount point, or in a directory that the owner
 * can't write. What is in there never held data, and nothing else is ever deleted.
 */
const nursery = (dataDirectory: string): string => path.join(dataDirectory, '.holdfast-initdb');

/**
 * Initialises a new cluster in an empty data directory: checksums on, UTF-8, SCRAM.
 *
 * @param identified is told the system identifier, and remembers it, before the data directory becomes one: a data
 * directory is known to be ours by it and nothing else.
 * @throws HoldfastError `refused` when there is something else in the directory.
 */
export async function initialise(
  installation: Installation,
  dataDirectory: string,
  superuser: string,
  identified: (systemIdentifier: string) => Promise<void>,
): Promise<void> {
  await fs.mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  await refuseForeignFiles(dataDirectory);
  const directory = nursery(dataDirectory);
  await fs.rm(directory, { recursive: true, force: true });
  await run(
    path.join(installation.bin, 'initdb'),
    [
      '--pgdata',
      directory,
      '--username',
      superuser,
      '--data-checksums',
      '--encoding=UTF8',
      `--locale=${await portableLocale()}`,
      '--auth-local=peer',
      '--auth-host=scram-sha-256',
      '--no-instructions',
    ],
    { env: serverEnvironment(), cwd: '/', timeoutSeconds: 300 },
  );
  const systemIdentifier = await systemIdentifierOf(directory);
  if (systemIdentifier === null)
    throw new HoldfastError('engine-failed', `initdb wrote no control file in ${directory}`);
  await identified(systemIdentifier);
  await moveUp(dataDirectory);
}

/**
 * Finishes an initialisation that was interrupted after its identity was recorded.
 * @returns whether there was one.
 */
export async function finishInitialisation(
  dataDirectory: string,
  systemIdentifier: string,
): Promise<boolean> {
  if ((await systemIdentifierOfNursery(dataDirectory)) !== systemIdentifier) return false;
  await moveUp(dataDirectory);
  return true;
}

/** `global` moves early: then the identity is already where it belongs, and PG_VERSION still in the nursery. */
async function systemIdentifierOfNursery(dataDirectory: string): Promise<string | null> {
  const directory = nursery(dataDirectory);
  if ((await dataVersion(directory)) === null) return null;
  return (await systemIdentifierOf(directory)) ?? (await systemIdentifierOf(dataDirectory));
}

/** PG_VERSION goes last: without it a directory is no data directory. */
async function moveUp(dataDirectory: string): Promise<void> {
  const from = nursery(dataDirectory);
  const names = (await fs.readdir(from)).filter(name => name !== 'PG_VERSION');
  for (const name of [...names, 'PG_VERSION'])
    await fs.rename(path.join(from, name), path.join(dataDirectory, name));
  await fs.rmdir(from);
  await fs.chmod(dataDirectory, 0o700);
  await syncDirectory(dataDirectory);
}

async function refuseForeignFiles(dataDirectory: string): Promise<void> {
  const names = await fs.readdir(dataDirectory).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
  const foreign = names.filter(name => name !== path.basename(nursery(dataDirectory)));
  if (foreign.length === 0) return;
  const [listed, isCluster] = [foreign.sort().slice(0, 3).join(', '), foreign.includes('PG_VERSION')];
  throw new HoldfastError(
    'refused',
    isCluster
      ? `${dataDirectory} holds a cluster that Holdfast did not create`
      : `${dataDirectory} is to hold a new cluster, but isn't empty: ${listed}${foreign.length > 3 ? ', …' : ''}`,
    {
      hint: isCluster
        ? 'To protect that cluster set `source: {mode: existing, …}`, which keeps its data; or name another `source.dataDirectory`.'
        : 'Name an empty directory as `source.dataDirectory` (below a mount point, rather than itself), or none. Nothing was changed.',
    },
  );
}

/** A locale that is the same on every machine, so that a restored index is sorted the same everywhere. */
async function portableLocale(): Promise<string> {
  const { stdout } = await run('locale', ['-a'], { timeoutSeconds: 10 }).catch(() => ({ stdout: '' }));
  return /^C\.utf-?8$/im.test(stdout) ? 'C.UTF-8' : 'C';
}
