import os from 'node:os';
import { HoldfastError } from '../../../core/errors';
import type { HostBackupSettings, RepositorySettings } from '../../../core/settings/stack';
import type { HostSpecification } from '../../../core/specification';
import type { ClusterPaths } from '../layout';

/** Where pgBackRest finds the cluster and keeps its own files; `repository` is the local one unless the settings name another. */
export type PgBackRestPaths = Pick<
  ClusterPaths,
  'dataDirectory' | 'socketDirectory' | 'repository' | 'log' | 'lock' | 'spool'
>;

/**
 * pgBackRest's configuration file of one cluster. It contains the passphrases and keys of the repositories, so it is kept
 * 0600: they never are arguments or environment of a process. The stanza is the cluster's name.
 *
 * @param cores of the cluster's machine: a restore uses all of them, a backup half. @default those of this machine
 */
export function renderConfiguration(
  specification: HostSpecification,
  paths: PgBackRestPaths,
  port: number,
  cores: number = os.cpus().length,
): string {
  const { backups } = specification.settings;
  return [
    section('global', {
      'log-path': paths.log,
      'lock-path': paths.lock,
      'spool-path': paths.spool,
      'log-level-file': 'info',
      // Without a queue limit: pgBackRest would drop WAL beyond it and report success.
      'archive-async': 'y',
      'compress-type': 'lz4',
      'start-fast': 'y',
      'process-max': Math.max(1, Math.ceil(cores / 2)),
      ...repositories(backups, paths),
    }),
    section('global:restore', { 'process-max': Math.max(1, cores) }),
    section('global:archive-get', { 'process-max': Math.max(1, cores) }),
    section(specification.cluster, {
      'pg1-path': paths.dataDirectory,
      'pg1-port': port,
      'pg1-socket-path': paths.socketDirectory,
    }),
  ].join('\n');
}

/** For a person: a path, or bucket and prefix. */
export function repositoryLocation(repository: RepositorySettings, paths: { repository: string }): string {
  return repository.type === 'local'
    ? (repository.path ?? paths.repository)
    : `s3://${repository.bucket}${repository.path} at ${repository.endpoint}`;
}

function repositories(backups: HostBackupSettings, paths: PgBackRestPaths): Record<string, string | number> {
  const options: Record<string, string | number> = {};
  backups.repositories.forEach((repository, index) => {
    for (const [key, value] of Object.entries({
      ...place(repository, paths),
      ...encryption(repository),
      // Many small files in few: fewer files to list, and to pay for on object stores.
      bundle: 'y',
      hardlink: 'n',
      'retention-full': backups.retention.full,
      'retention-diff': backups.retention.differential,
    }))
      options[`repo${index + 1}-${key}`] = value;
  });
  return options;
}

function place(repository: RepositorySettings, paths: PgBackRestPaths): Record<string, string> {
  if (repository.type === 'local') return { path: repository.path ?? paths.repository };
  return {
    type: 's3',
    path: repository.path,
    's3-bucket': repository.bucket,
    's3-endpoint': repository.endpoint,
    's3-region': repository.region,
    's3-uri-style': repository.uriStyle,
    's3-key': repository.key,
    's3-key-secret': repository.keySecret,
  };
}

/** Whether the repository is encrypted, and with what. */
export function passphraseOf(repository: RepositorySettings): string | undefined {
  return repository.type === 's3' || repository.encryption ? repository.passphrase : undefined;
}

function encryption(repository: RepositorySettings): Record<string, string> {
  const passphrase = passphraseOf(repository);
  return passphrase === undefined ? {} : { 'cipher-type': 'aes-256-cbc', 'cipher-pass': passphrase };
}

function section(name: string, options: Readonly<Record<string, string | number>>): string {
  const lines = Object.entries(options).map(([key, value]) => `${key}=${checked(key, String(value))}`);
  return [`[${name}]`, ...lines, ''].join('\n');
}

/** pgBackRest takes a value as the rest of its line, without the blanks around it: what doesn't survive that is refused. */
function checked(key: string, value: string): string {
  if (/[\r\n\0]/.test(value) || value !== value.trim())
    throw new HoldfastError(
      'configuration',
      `${key} of pgBackRest can't have line breaks, or blanks at its begin or end`,
      { hint: 'Change the setting that it comes from (repository, passphrase or path).' },
    );
  return value;
}
