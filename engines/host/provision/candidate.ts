import { HoldfastError } from '../../../core/errors';
import type { ExistingSource } from '../../../core/settings/stack';
import type { Session } from '../../engine';

/** What adoption has to know of a running cluster. */
export interface Candidate {
  readonly version: number;
  readonly dataDirectory: string;
  readonly inRecovery: boolean;
  readonly isSuperuser: boolean;
  readonly archiveMode: string;
  readonly archiveCommand: string;
  readonly archiveLibrary: string;
  readonly archiveTimeout: string;
  readonly walLevel: string;
  readonly tablespaces: readonly string[];
  readonly slots: readonly string[];
  readonly checksums: boolean;
}

export async function surveyCandidate(session: Session): Promise<Candidate> {
  const [found] = await session.query<Omit<Candidate, 'version'> & { versionNumber: number }>(
    `select current_setting('server_version_num')::int as "versionNumber",
            current_setting('data_directory') as "dataDirectory",
            pg_is_in_recovery() as "inRecovery",
            (select rolsuper from pg_roles where rolname = current_user) as "isSuperuser",
            current_setting('archive_mode') as "archiveMode",
            (select setting from pg_settings where name = 'archive_command') as "archiveCommand",
            coalesce(current_setting('archive_library', true), '') as "archiveLibrary",
            current_setting('archive_timeout') as "archiveTimeout",
            current_setting('wal_level') as "walLevel",
            current_setting('data_checksums')::bool as "checksums",
            array(select spcname::text from pg_tablespace
                  where spcname not in ('pg_default', 'pg_global') order by 1) as "tablespaces",
            array(select slot_name::text from pg_replication_slots order by 1) as "slots"`,
  );
  if (found === undefined) throw new HoldfastError('engine-failed', 'the server answers without an answer');
  const { versionNumber, ...rest } = found;
  return { ...rest, version: Math.floor(versionNumber / 10_000) };
}

/** The `archive_command`s that mean that nothing is archived. */
const archivesNothing = ['', '(disabled)', '/bin/true', 'true', ':'];

/**
 * Refuses a cluster that can't be adopted as it is; nothing was changed before.
 * @param ownCommand Holdfast's `archive_command` for it: what an interrupted adoption may have set.
 * @throws HoldfastError `refused`, with the reason and what to do.
 */
export function assertAdoptable(
  cluster: string,
  source: ExistingSource,
  found: Candidate,
  ownCommand: string,
): void {
  const refuse = (reason: string, hint: string): never => {
    throw new HoldfastError('refused', `cluster ${cluster} can't be adopted: ${reason}`, {
      hint: `${hint} Nothing was changed.`,
    });
  };
  if (!found.isSuperuser)
    refuse(
      'the operating-system user that owns it is no superuser in it',
      'Create a superuser of that name, which logs in by `peer`.',
    );
  if (found.inRecovery)
    refuse(
      'it is a standby, and backups are taken of the primary',
      'Name the primary’s machine and data directory instead.',
    );
  if (found.tablespaces.length > 0)
    refuse(
      `it has tablespaces (${found.tablespaces.join(', ')}), and a restore that takes the cluster’s place would not put them back where they are`,
      'Move their tables to pg_default (ALTER TABLE … SET TABLESPACE) and drop them.',
    );
  const otherTool = otherArchiver(found, ownCommand);
  if (otherTool !== null && source.replaceArchiveCommand === undefined)
    refuse(
      `another tool archives its WAL (${otherTool}), which would have gaps from then on`,
      'When that tool is to be replaced, say why in source.replaceArchiveCommand.',
    );
  if (archivingNeedsRestart(found) && !source.allowRestart)
    refuse(
      `archiving is off (archive_mode = ${found.archiveMode}, wal_level = ${found.walLevel}), and switching it on needs a restart`,
      'Set source.allowRestart to true for one restart, or switch it on yourself.',
    );
}

/** What archives at present, when that isn't Holdfast or nothing. */
export function otherArchiver(found: Candidate, ownCommand: string): string | null {
  if (found.archiveLibrary !== '') return `archive_library = ${found.archiveLibrary}`;
  const { archiveCommand } = found;
  return archiveCommand === ownCommand || archivesNothing.includes(archiveCommand.trim())
    ? null
    : `archive_command = ${archiveCommand}`;
}

export const archivingNeedsRestart = (found: Candidate): boolean =>
  found.archiveMode === 'off' || found.walLevel === 'minimal';

/** What a person who adopts it should know; no reason to refuse. */
export function remarks(found: Candidate): string[] {
  const said = [];
  if (found.slots.length > 0)
    said.push(
      `replication slots (${found.slots.join(', ')}) are not part of backups: after a restore they have to be created again`,
    );
  if (!found.checksums)
    said.push('data checksums are off: damaged pages are found by verification only as far as it reads them');
  return said;
}
