import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import { parseSpecification, type Specification } from '../../core/specification';
import { readSpecification } from '../context';
import { writeAtomically } from '../files';
import type { ClusterCommands } from '../up/clusters';

/** What a cluster that is being erased can be restored from; written down right before anything is erased. */
export interface FinalBackup {
  readonly specification: Specification;
  readonly backupSet: string;
  /** Where repository, configuration and audit log are kept. */
  readonly kept: string;
}

/**
 * The final backup of a cluster: a full one, taken and verified now, or the one after which an interrupted run began to
 * erase. Until then the cluster is in use, and a backup of an earlier run isn't its final one.
 * @throws HoldfastError when it can't be taken or verified: then nothing is erased.
 */
export async function finalBackup(
  home: string,
  cluster: string,
  commands: ClusterCommands,
): Promise<FinalBackup> {
  const begun = await readJournal(journalOf(home, cluster));
  if (begun !== null) return begun;
  const specification = await readSpecification(home, cluster);
  await commands.host('start', { cluster });
  await commands.succeed('backup', cluster, '--kind', 'full');
  await commands.succeed('verify', cluster);
  const found = (await commands.survey()).find(each => each.cluster === cluster);
  const newest = found?.report?.evidence.backups.at(-1);
  if (newest === undefined)
    throw new HoldfastError('engine-failed', `the final backup of ${cluster} is not in its repository`);
  return {
    specification,
    backupSet: newest.id,
    kept: path.join(home, 'kept', `${cluster}-${newest.id}`),
  };
}

/** From now on an interrupted run goes on with this backup. */
export const beginErasing = (home: string, final: FinalBackup): Promise<void> =>
  writeAtomically(journalOf(home, final.specification.cluster), `${JSON.stringify(final)}\n`);

/** It contains the specification's secrets, so it doesn't stay longer than it is needed. */
export const forgetFinalBackup = (home: string, cluster: string): Promise<void> =>
  fs.rm(journalOf(home, cluster), { force: true });

const journalOf = (home: string, cluster: string): string => path.join(home, `.down-${cluster}.json`);

async function readJournal(file: string): Promise<FinalBackup | null> {
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  const { specification, ...rest } = JSON.parse(text) as FinalBackup;
  return { ...rest, specification: parseSpecification(specification) };
}
