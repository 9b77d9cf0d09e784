import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import type { BackupKind, BackupSet } from '../../core/evidence';
import type { Annotations, Watch } from '../engine';
import { clusterOf, repositoryCount, type HostContext } from './context';
import { annotationArguments, encodeAnnotations, type StoredAnnotations } from './pgbackrest/annotations';
import type { ListedSet } from './pgbackrest/info';
import { endOrphanedBackup, lockingProcess } from './pgbackrest/orphan';
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
  const take = () =>
    pgbackrest.run(
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
  try {
    await take();
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'busy') throw error;
    if (!(await endOrphanedBackup(lockFile(context), pgbackrest.configurationFile)))
      throw await busy(context, error);
    report({ fraction: null, step: 'ended a backup that was left by a job that was killed' });
    await take();
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

/** Somebody runs pgBackRest without Holdfast, whose own lock the caller has. */
async function busy(context: HostContext, cause: HoldfastError): Promise<HoldfastError> {
  const pid = await lockingProcess(lockFile(context));
  return new HoldfastError(
    'busy',
    `cluster ${clusterOf(context)} is being backed up already${pid === null ? '' : ` by pgbackrest, process ${pid}`}`,
    { hint: 'Wait until it has ended; `holdfast status` shows it.', cause },
  );
}

function lockFile({ paths, pgbackrest }: HostContext): string {
  return path.join(paths.lock, `${pgbackrest.stanza}-backup.lock`);
}
