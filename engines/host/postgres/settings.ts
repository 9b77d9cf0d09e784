import type { HostSpecification } from '../../../core/specification';
import type { ClusterPaths } from '../layout';
import type { Settings } from './configuration-file';

type CommandPaths = Pick<ClusterPaths, 'configuration' | 'cluster'>;

/**
 * PostgreSQL's `archive_command` for a cluster. PostgreSQL runs it by a shell, after it replaced %p, and %% by %: the
 * paths are quoted for both.
 */
export function archiveCommand(paths: CommandPaths): string {
  return `${pgBackRestCommand(paths)} archive-push %p`;
}

/** PostgreSQL's `restore_command` for a clone of a cluster. */
export function restoreCommand(paths: CommandPaths): string {
  return `${pgBackRestCommand(paths)} archive-get %f %p`;
}

function pgBackRestCommand(paths: CommandPaths): string {
  const word = (text: string): string =>
    /^[\w@+:,./=-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`).replace(/%/g, '%%')}'`;
  return `pgbackrest --config=${word(paths.configuration)} --stanza=${word(paths.cluster)}`;
}

/**
 * `archive_timeout` in seconds: half the RPO, which leaves the other half for the segment to reach the repository. Each
 * time-out archives a segment, which compresses to little when it holds little; an idle cluster archives none.
 */
export function archiveTimeout(specification: HostSpecification): number {
  return Math.max(1, Math.floor(specification.settings.backups.rpo / 2));
}

/** The settings of a managed cluster: Holdfast's, with the specification's own beside them. */
export function managedSettings(
  specification: HostSpecification,
  paths: Pick<ClusterPaths, 'configuration' | 'cluster' | 'socketDirectory' | 'log'>,
  port: number,
): Settings {
  const { source } = specification.settings;
  if (source.mode !== 'managed') return {};
  const own = Object.entries(source.settings).map(([name, value]) => [name, asText(value)] as const);
  return {
    ...defaults(paths),
    ...Object.fromEntries(own),
    port: String(port),
    listen_addresses: source.listenAddresses.join(', '),
    unix_socket_directories: listItem(paths.socketDirectory),
    unix_socket_permissions: '0700',
    ...(source.tls === undefined
      ? { ssl: 'off' }
      : { ssl: 'on', ssl_cert_file: source.tls.certificate, ssl_key_file: source.tls.key }),
    password_encryption: 'scram-sha-256',
    max_prepared_transactions: '0',
    archive_mode: 'on',
    archive_command: archiveCommand(paths),
    archive_timeout: `${archiveTimeout(specification)}s`,
  };
}

/** What the specification's own settings may override. */
function defaults(paths: Pick<ClusterPaths, 'log'>): Settings {
  return {
    // What initdb would choose; older versions have a far smaller default.
    shared_buffers: '128MB',
    wal_level: 'replica',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    logging_collector: 'on',
    log_directory: paths.log,
    // One file a weekday, begun anew after a week: the log rotates without help.
    log_filename: 'postgresql-%a.log',
    log_file_mode: '0600',
    log_rotation_age: '1d',
    log_rotation_size: '0',
    log_truncate_on_rotation: 'on',
    log_line_prefix: '%m [%p] %q%u@%d ',
  };
}

function asText(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

/** An item of a list of paths: quoted, because blanks and commas would end it. */
function listItem(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `"${text.replace(/"/g, '""')}"`;
}
