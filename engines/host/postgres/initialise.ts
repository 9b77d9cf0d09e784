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
 * can't write. What is in there never held data, and nothing else is ever deleted. Each attempt has one of its own: the
 * initdb of one that was killed may still run, and cleans up by name when it fails.
 */
export const nurseryPrefix = '.holdfast-initdb-';

async function nurseries(dataDirectory: string): Promise<string[]> {
  const names = await fs.readdir(dataDirectory).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
  return names.filter(name => name.startsWith(nurseryPrefix)).map(name => path.join(dataDirectory, name));
}

async function removeNurseries(dataDirectory: string): Promise<void> {
  for (const directory of await nurseries(dataDirectory))
    await fs.rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
}

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
  await removeNurseries(dataDirectory);
  const directory = await fs.mkdtemp(path.join(dataDirectory, nurseryPrefix));
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
  await moveUp(directory, dataDirectory);
}

/**
 * Finishes an initialisation that was interrupted after its identity was recorded.
 * @returns whether there was one.
 */
export async function finishInitialisation(
  dataDirectory: string,
  systemIdentifier: string,
): Promise<boolean> {
  for (const directory of await nurseries(dataDirectory))
    if ((await systemIdentifierIn(directory, dataDirectory)) === systemIdentifier) {
      await moveUp(directory, dataDirectory);
      return true;
    }
  return false;
}

/** The control file may have moved already, while PG_VERSION is still in the nursery. */
async function systemIdentifierIn(directory: string, dataDirectory: string): Promise<string | null> {
  if ((await dataVersion(directory)) === null) return null;
  return (await systemIdentifierOf(directory)) ?? (await systemIdentifierOf(dataDirectory));
}

/** PG_VERSION goes last: without it a directory is no data directory. */
async function moveUp(from: string, dataDirectory: string): Promise<void> {
  const names = (await fs.readdir(from)).filter(name => name !== 'PG_VERSION');
  for (const name of [...names, 'PG_VERSION'])
    await fs.rename(path.join(from, name), path.join(dataDirectory, name));
  await removeNurseries(dataDirectory);
  await fs.chmod(dataDirectory, 0o700);
  await syncDirectory(dataDirectory);
}

/**
 * Refuses a data directory that has anything in it but unfinished attempts of ours.
 * @throws HoldfastError `refused`
 */
export async function refuseForeignFiles(dataDirectory: string): Promise<void> {
  const names = await fs.readdir(dataDirectory).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
  const foreign = names.filter(name => !name.startsWith(nurseryPrefix));
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
