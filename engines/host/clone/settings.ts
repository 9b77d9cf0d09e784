import fs from 'node:fs/promises';
import path from 'node:path';
import { exists, readIfThere, writeAtomically } from '../files';
import { ensureSocketDirectory } from '../layout';
import { renderSettings, type Settings } from '../postgres/configuration-file';
import type { HostContext } from '../context';
import { renderConfiguration } from '../pgbackrest/configuration';
import { onlyRow, withServer } from '../session';
import { clonePort, type ClonePaths } from './catalog';
import { controlData } from './control-data';
import { endPgBackRest, removeTree } from './leftovers';

/** Where recovery of a clone stops, as settings of PostgreSQL; none to replay everything. */
export type RecoverySettings = Settings;

/** pgBackRest for the clone alone: own spool, locks and logs, so that it never waits for or hinders the original's. */
export async function writeCloneConfiguration(context: HostContext, paths: ClonePaths): Promise<void> {
  const { repository } = context.paths;
  await Promise.all(
    [paths.spool, paths.log, paths.lock].map(directory => fs.mkdir(directory, { mode: 0o700 })),
  );
  const { dataDirectory, socketDirectory, spool, log, lock } = paths;
  await writeAtomically(
    paths.configuration,
    renderConfiguration(
      context.specification,
      { dataDirectory, socketDirectory, spool, log, lock, repository },
      clonePort,
    ),
  );
}

/**
 * Libraries without which the original's WAL might not be replayable (custom resource managers), as far as they are known.
 * Those that would begin to work by themselves in a clone are left out.
 */
export async function preloadedLibraries(context: HostContext): Promise<string> {
  const { source } = context.specification.settings;
  const declared =
    source.mode === 'managed' ? String(source.settings.shared_preload_libraries ?? '') : undefined;
  const text =
    declared ??
    (await withServer(context.server, 'postgres', async session => {
      const row = await onlyRow<{ libraries: string }>(
        session,
        `select current_setting('shared_preload_libraries') as libraries`,
      );
      return row.libraries;
    }).catch(() => ''));
  return text
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && !['pg_cron', 'pg_partman_bgw', 'timescaledb_toolkit'].includes(name))
    .join(', ');
}

/**
 * Writes how the clone's server runs: a private socket, no TCP, no archiving, nothing that works by itself. The restored
 * configuration of the original stays in the data directory, unused.
 */
export async function writeCloneSettings(
  context: HostContext,
  paths: ClonePaths,
  recovery: RecoverySettings,
  libraries: string,
): Promise<void> {
  const { bin } = await context.installation();
  const { least } = await controlData(bin, paths.dataDirectory);
  const { superuser } = context.server;
  await ensureSocketDirectory(paths.socketDirectory);
  await setOverridesAside(paths);
  const quoted = `"${superuser.replace(/"/g, '""')}"`;
  await writeAtomically(paths.access, `local all ${quoted} peer\n`);
  await writeAtomically(paths.identities, '');
  await writeAtomically(
    paths.settings,
    renderSettings({ ...settingsOf(paths, least, libraries), ...recovery }),
  );
}

function settingsOf(paths: ClonePaths, least: Settings, libraries: string): Settings {
  return {
    ...least,
    data_directory: paths.dataDirectory,
    hba_file: paths.access,
    ident_file: paths.identities,
    external_pid_file: '',
    listen_addresses: '',
    port: String(clonePort),
    unix_socket_directories: `"${paths.socketDirectory.replace(/"/g, '""')}"`,
    unix_socket_permissions: '0700',
    archive_mode: 'off',
    archive_command: '',
    // Connections are taken once recovery has ended: then none can see a state that isn't the target's.
    hot_standby: 'off',
    max_logical_replication_workers: '0',
    autovacuum: 'off',
    shared_preload_libraries: libraries,
    shared_buffers: '128MB',
    max_wal_size: '1GB',
    // WAL written after the promotion is archived should the clone take the original's place: none of it is recycled before.
    wal_keep_size: '1GB',
    checkpoint_timeout: '30min',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_line_prefix: '%m ',
    // Its log is read for the progress and the result of recovery.
    lc_messages: 'C',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
}

/**
 * What ALTER SYSTEM set on the original must not reach the clone: it would go before the clone's own settings. That it
 * doesn't archive stays there, for somebody who starts it by hand, with the configuration of the original.
 */
async function setOverridesAside(paths: ClonePaths): Promise<void> {
  if (await exists(paths.restoredOverrides)) return;
  const overrides = path.join(paths.dataDirectory, 'postgresql.auto.conf');
  await writeAtomically(paths.restoredOverrides, (await readIfThere(overrides)) ?? '');
  await writeAtomically(overrides, "archive_mode = 'off'\n");
}

/** Once recovered, a clone has nothing more to do with the repository, and no secrets of it. */
export async function forgetRepository(
  context: HostContext,
  paths: ClonePaths,
  libraries: string,
): Promise<void> {
  await writeCloneSettings(context, paths, {}, libraries);
  await fs.rm(paths.configuration, { force: true });
  await endPgBackRest(paths.lock);
  await removeTree(paths.spool);
}
