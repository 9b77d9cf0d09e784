import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import type { Evidence } from '../../core/evidence';
import { parseHostSpecification, type HostSpecification } from '../../core/specification';
import { readSpecification } from '../context';
import { writeAtomically } from './files';
import type { ClusterCommands } from '../up/clusters';
import type { Watching } from '../up/place';

/** What a cluster that is being erased can be restored from; written down right before anything is erased. */
export interface FinalBackup {
  readonly specification: HostSpecification;
  readonly backupSet: string;
  /** Where repository, configuration and audit log are kept. */
  readonly kept: string;
}

/**
 * The final backup of a cluster: a full one, taken and verified now, or the one after which an interrupted run erased data.
 * Until then the cluster is in use, and a backup of an earlier run isn't its final one.
 * @throws HoldfastError when it can't be taken or verified: then nothing is erased.
 */
export async function finalBackup(
  home: string,
  cluster: string,
  commands: ClusterCommands,
): Promise<FinalBackup> {
  const begun = await readJournal(journalOf(home, cluster));
  if (begun !== null) {
    if (!(await isWhole(begun, commands))) return begun;
    await abandon(home, begun);
  }
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

/** The clusters that a run began to erase, and didn't end with. */
export async function begunErasing(home: string): Promise<string[]> {
  const names = await fs.readdir(home).catch(() => []);
  return names.flatMap(name => /^\.down-(.+)\.json$/.exec(name)?.[1] ?? []);
}

/**
 * What `holdfast up` does about an interrupted `holdfast down`: a cluster that has all its data stays, and is as it was.
 * @throws HoldfastError `refused` when data was erased: nothing but `down` can end that.
 */
export async function keepWhole(home: string, { commands, report }: Watching & Commands): Promise<void> {
  for (const cluster of await begunErasing(home)) {
    const begun = await readJournal(journalOf(home, cluster));
    if (begun === null) continue;
    if (!(await isWhole(begun, commands)))
      throw new HoldfastError('refused', `an interrupted \`holdfast down\` has erased data of ${cluster}`, {
        hint: `Its final backup, ${begun.backupSet}, is kept. \`npx holdfast down --production --yes-delete-production-data\` ends what it began; after that a new cluster can be made.`,
      });
    report(`${cluster}: an interrupted \`holdfast down\` had erased nothing: it stays`);
    await abandon(home, begun);
  }
}

/** As if it had not begun: the backup set is one of the cluster's like any other. */
async function abandon(home: string, { kept, specification }: FinalBackup): Promise<void> {
  await fs.rm(kept, { recursive: true, force: true });
  await forgetFinalBackup(home, specification.cluster);
}

interface Commands {
  readonly commands: ClusterCommands;
}

/** Whether nothing was erased yet; of an adopted cluster nothing ever is, so it is whether it is backed up as before. */
async function isWhole(
  { specification, backupSet }: FinalBackup,
  commands: ClusterCommands,
): Promise<boolean> {
  const { cluster, settings } = specification;
  const { identity, backups } = (await commands.host('evidence', { cluster, specification })) as Evidence;
  if (identity.found === null) return false;
  return settings.source.mode === 'managed' || backups.at(-1)?.id !== backupSet;
}

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
  return { ...rest, specification: parseHostSpecification(specification) };
}
