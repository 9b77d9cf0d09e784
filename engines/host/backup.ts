import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import type { BackupKind, BackupSet } from '../../core/evidence';
import type { Annotations, Watch } from '../engine';
import { clusterOf, repositoryCount, type HostContext } from './context';
import { lockHolder } from './lock';
import { annotationArguments, encodeAnnotations, type StoredAnnotations } from './pgbackrest/annotations';
import type { ListedSet } from './pgbackrest/info';
import { progressReader } from './pgbackrest/progress';
import { listFiles } from './pgbackrest/repository';
import { stanzaInfo } from './pgbackrest/stanza';
import { toBackupSet, unusableSets } from './sets';

const types = { full: 'full', differential: 'diff', incremental: 'incr' } as const;

/**
 * Takes a backup into each repository; the result is the set in the first one. What counts is the set that lies there
 * afterwards, with its annotations, not that pgBackRest reported success.
 */
export async function backup(
  context: HostContext,
  kind: BackupKind,
  annotations: Annotations,
  watch: Watch,
): Promise<BackupSet> {
  const stored = encodeAnnotations(annotations);
  const first = await backupInto(context, 1, kind, stored, watch);
  for (let repository = 2; repository <= repositoryCount(context); repository += 1)
    await backupInto(context, repository, kind, stored, watch);
  return first;
}

async function backupInto(
  context: HostContext,
  repository: number,
  kind: BackupKind,
  annotations: StoredAnnotations,
  { report, signal }: Watch,
): Promise<BackupSet> {
  const { pgbackrest } = context;
  const before = await stanzaInfo(pgbackrest, repository);
  const known = new Set(before.sets.map(set => set.label));
  const read = progressReader('copying');
  try {
    await pgbackrest.run(
      'backup',
      [
        `--repo=${repository}`,
        `--type=${types[kind]}`,
        '--log-level-console=detail',
        ...annotationArguments(annotations),
      ],
      {
        signal,
        onLine: line => {
          const progress = read(line);
          if (progress) report(progress);
        },
      },
    );
  } catch (error) {
    throw error instanceof HoldfastError && error.code === 'busy' ? await busy(context, error) : error;
  }
  return readBack(context, repository, known, annotations);
}

/** The new set, from what lies in the repository now. */
async function readBack(
  context: HostContext,
  repository: number,
  known: ReadonlySet<string>,
  annotations: StoredAnnotations,
): Promise<BackupSet> {
  const { pgbackrest } = context;
  const [info, files] = await Promise.all([
    stanzaInfo(pgbackrest, repository),
    listFiles(pgbackrest, `backup/${pgbackrest.stanza}`, { repository }),
  ]);
  const set = info.sets.findLast(
    candidate => !known.has(candidate.label) && hasAnnotations(candidate, annotations),
  );
  if (!set)
    throw new HoldfastError(
      'engine-failed',
      `pgbackrest reported a backup of ${clusterOf(context)}, but repository ${repository} has no new backup set`,
      { hint: `See ${pgbackrest.stanza}-backup.log in ${context.paths.log}.` },
    );
  const unusable = unusableSets(info, files, null).get(set.label);
  if (unusable !== undefined)
    throw new HoldfastError(
      'engine-failed',
      `the new backup set ${set.label} of ${clusterOf(context)} can’t be restored from: ${unusable}`,
      {
        hint: `Take another full backup: holdfast backup ${clusterOf(context)} --kind full. When that fails too, the cluster’s or the repository’s disk is damaged.`,
      },
    );
  return toBackupSet(set, null);
}

function hasAnnotations(set: ListedSet, annotations: StoredAnnotations): boolean {
  return Object.entries(annotations).every(([key, value]) => set.annotations[key] === value);
}

/** Who runs the other backup: Holdfast's lock knows more than pgBackRest's, which has the process only. */
async function busy(context: HostContext, cause: HoldfastError): Promise<HoldfastError> {
  const holder = (await lockHolder(context.paths.lock)) ?? (await pgBackRestHolder(context));
  return new HoldfastError(
    'busy',
    `cluster ${clusterOf(context)} is being backed up already${holder === null ? '' : ` by ${holder}`}`,
    { hint: 'Wait until it has ended; `holdfast status` shows it.', cause },
  );
}

async function pgBackRestHolder({ paths, pgbackrest }: HostContext): Promise<string | null> {
  try {
    const text = await fs.readFile(path.join(paths.lock, `${pgbackrest.stanza}-backup.lock`), 'utf8');
    const { pid } = JSON.parse(text) as { pid?: unknown };
    return typeof pid === 'number' ? `pgbackrest, process ${pid}` : null;
  } catch {
    return null;
  }
}
