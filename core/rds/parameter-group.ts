import type { ManagedInstance } from '../settings/rds';

/**
 * What a running server doesn't take up: in PostgreSQL 13 to 18 the settings of context `postmaster` in pg_settings that RDS lets one
 * change, and RDS's own static ones
 * (https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Parameters.html).
 */
const needsRestart: ReadonlySet<string> = new Set([
  'autovacuum_freeze_max_age',
  'autovacuum_max_workers',
  'autovacuum_multixact_freeze_max_age',
  'autovacuum_worker_slots',
  'commit_timestamp_buffers',
  'cron.database_name',
  'cron.max_running_jobs',
  'cron.use_background_workers',
  'huge_pages',
  'io_max_concurrency',
  'io_method',
  'max_active_replication_origins',
  'max_connections',
  'max_files_per_process',
  'max_locks_per_transaction',
  'max_logical_replication_workers',
  'max_pred_locks_per_transaction',
  'max_prepared_transactions',
  'max_replication_slots',
  'max_wal_senders',
  'max_worker_processes',
  'min_dynamic_shared_memory',
  'multixact_member_buffers',
  'multixact_offset_buffers',
  'notify_buffers',
  'old_snapshot_threshold',
  'pg_stat_statements.max',
  'rds.extensions',
  'rds.logical_replication',
  'rds.max_tcp_buffers',
  'rds.rds_superuser_reserved_connections',
  'rds.restrict_password_commands',
  'rds.superuser_variables',
  'reserved_connections',
  'serializable_buffers',
  'shared_buffers',
  'shared_preload_libraries',
  'subtransaction_buffers',
  'superuser_reserved_connections',
  'track_activity_query_size',
  'track_commit_timestamp',
  'transaction_buffers',
  'wal_buffers',
]);

/** A parameter as RDS takes it. */
export interface Parameter {
  readonly name: string;
  readonly value: string;
  /** RDS refuses to change at once what needs a restart. */
  readonly applyMethod: 'immediate' | 'pending-reboot';
}

/** The major version of a version: `17` of `17.4`. */
export function majorOf(version: string): string {
  return version.replace(/\..*/, '');
}

/** `shop-production-postgres17`: one group a major version, so that the next one is there before the last one goes. */
export function parameterGroupName(instance: string, version: string): string {
  return `${instance}-postgres${majorOf(version)}`;
}

/** What is set where the settings set nothing else: whoever alters a database leaves a trace in its log. */
const defaults: ManagedInstance['parameters'] = { log_statement: 'ddl' };

/** By name, so that the order of the settings is no change. */
export function parametersOf(given: ManagedInstance['parameters']): Parameter[] {
  const all = { ...defaults, ...given, 'rds.force_ssl': 1 };
  return Object.entries(all)
    .map(([name, value]) => ({
      name,
      value: typeof value === 'boolean' ? String(Number(value)) : String(value),
      applyMethod: needsRestart.has(name) ? ('pending-reboot' as const) : ('immediate' as const),
    }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}
