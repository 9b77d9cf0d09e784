import type { BackupSet } from '../../core/evidence';
import { changeIdOf, decodeVerification } from './pgbackrest/annotations';
import type { ListedSet, StanzaInfo } from './pgbackrest/info';
import { filesBySet, missingFiles, type RepositoryFile } from './pgbackrest/repository';

/** A set that can be restored from; it says which WAL it needs. */
export type UsableSet = ListedSet & { readonly firstSegment: string; readonly lastSegment: string };

/** The sets of which nothing is known that keeps them from being restored, oldest first. */
export function usableSets(
  sets: readonly ListedSet[],
  unusable: ReadonlyMap<string, string>,
): readonly UsableSet[] {
  return sets.filter(
    (set): set is UsableSet =>
      !unusable.has(set.label) && set.firstSegment !== null && set.lastSegment !== null,
  );
}

/** A listed set as evidence; `unusable` says why it can't be restored from. */
export function toBackupSet(set: ListedSet, unusable: string | null): BackupSet {
  return {
    id: set.label,
    kind: set.kind,
    startedAt: set.startedAt,
    stoppedAt: set.stoppedAt,
    unusable,
    sizeBytes: set.sizeBytes,
    storedBytes: set.storedBytes,
    changeId: changeIdOf(set.annotations),
    verification: decodeVerification(set.annotations),
  };
}

/** Why each set can't be restored from (by label), judged by the files that are there; usable sets are absent. */
export function unusableSets(
  info: StanzaInfo,
  files: readonly RepositoryFile[],
  recordedIdentifier: string | null,
): Map<string, string> {
  const sizes = filesBySet(files);
  const found = new Map<string, string>();
  for (const set of info.sets) {
    const reason = unusableBecause(set, recordedIdentifier) ?? missingFiles(set, sizes);
    const broken = set.references.find(label => found.has(label) || !sizes.has(label));
    if (reason !== null) found.set(set.label, reason);
    else if (broken !== undefined)
      found.set(
        set.label,
        `it needs ${broken}: ${found.get(broken) ?? 'which is missing in the repository'}`,
      );
  }
  return found;
}

function unusableBecause(set: ListedSet, recordedIdentifier: string | null): string | null {
  if (set.pageErrors) return 'page checksums were wrong while it was taken';
  if (
    recordedIdentifier !== null &&
    set.systemIdentifier !== null &&
    set.systemIdentifier !== recordedIdentifier
  )
    return `it is of another cluster (system identifier ${set.systemIdentifier})`;
  if (set.firstSegment === null || set.lastSegment === null) return 'it does not say which WAL it needs';
  return null;
}
