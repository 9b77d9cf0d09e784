import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../core/errors';
import {
  isRds,
  parseHostSpecification,
  type HostSpecification,
  type Specification,
} from '../core/specification';
import type { Engine } from '../engines/engine';
import { requester } from './audit';
import type { Cluster } from './cluster';
import { readRdsSpecification } from './rds/specification';
import { awsEngine } from './rds/engine';
import type { Where } from './where';

/** The clusters that were provisioned on this machine. */
export async function clusterNames(home: string): Promise<string[]> {
  const directory = path.join(home, 'clusters');
  const names = await fs.readdir(directory).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw unreadable(directory, error);
  });
  const kept = [];
  for (const name of names.sort())
    if (!name.startsWith('.') && !(await isEmpty(path.join(directory, name)))) kept.push(name);
  return kept;
}

/** What a removal leaves of a cluster where the directory above is root's. */
async function isEmpty(directory: string): Promise<boolean> {
  const names = await fs.readdir(directory).catch(() => null);
  return names?.length === 0;
}

/**
 * What a cluster on this machine shall be.
 * @throws HoldfastError `configuration` when there is no such cluster, saying which there are
 */
export async function readSpecification(home: string, name: string): Promise<HostSpecification> {
  const found = await findSpecification(home, name);
  if (found === null) throw await unknownCluster(home, name);
  return found;
}

/** The same; null when there is no such cluster. */
export async function findSpecification(home: string, name: string): Promise<HostSpecification | null> {
  const file = path.join(clusterDirectory(home, name), 'specification.json');
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(file, error);
    return null;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // Without the cause: it quotes what it could not parse, and that may be a secret.
    throw new HoldfastError('configuration', `${file} is not JSON`, {
      hint: 'Delete it, and run `pulumi up`, which writes it.',
    });
  }
  return parseHostSpecification(json);
}

/** Opens a cluster for a job. As root the process becomes the owner of a cluster of this machine, for good. */
export async function openCluster(where: Where, name: string): Promise<Cluster> {
  const { home, region } = where;
  const specification =
    region === undefined ? await readSpecification(home, name) : await readRdsSpecification(region, name);
  return openSpecified(home, specification);
}

/** The same for a cluster that may not be here yet. */
export async function openSpecified<S extends Specification>(
  home: string,
  specification: S,
): Promise<Cluster & { readonly specification: S }> {
  // Before the process changes who it is.
  process.env.HOLDFAST_REQUESTER ??= requester();
  return {
    name: specification.cluster,
    specification,
    engine: await openEngine(home, specification),
  };
}

/** How each kind of cluster is opened. */
async function openEngine(home: string, specification: Specification): Promise<Engine> {
  if (!isRds(specification)) return openHost(home, specification as HostSpecification);
  const { openRdsEngine } = await awsEngine();
  return openRdsEngine(specification);
}

async function openHost(home: string, specification: HostSpecification): Promise<Engine> {
  const { becomeOwner } = await import('../engines/host/owner');
  const { openHostEngine } = await import('../engines/host/engine');
  becomeOwner(specification.settings.owner);
  return openHostEngine({ home, specification });
}

export function clusterDirectory(home: string, name: string): string {
  // A name never leads out of the directory, whoever typed it.
  return path.join(home, 'clusters', path.basename(name));
}

async function unknownCluster(home: string, name: string): Promise<HoldfastError> {
  const known = await clusterNames(home);
  return new HoldfastError('configuration', `there is no cluster ${name} in ${home}`, {
    hint:
      known.length === 0
        ? 'None was provisioned there yet: `pulumi up` does that. HOLDFAST_HOME or --home names another directory.'
        : `There ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}.`,
  });
}

function unreadable(file: string, cause: unknown): HoldfastError {
  return new HoldfastError('configuration', `${file} can't be read: ${(cause as Error).message}`, {
    cause,
    hint: 'Run this as the cluster’s owner, or with sudo.',
  });
}
