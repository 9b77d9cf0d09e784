import * as z from 'zod';
import { rdsConflicts } from '../rds/conflicts';
import { cluster } from './cluster';
import { conflict, duration, instant, name } from './values';

const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

export const alerts = z
  .strictObject({
    webhook: url
      .optional()
      .describe('Gets a JSON document by POST; set it as `secure:`.')
      .meta({ secret: true, example: 'https://hooks.example.com/T000/B000' }),
    command: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Program and arguments, run as the cluster’s owner; gets the same JSON document on standard input.',
      )
      .meta({ example: '["/usr/local/bin/page-me"]' }),
    heartbeat: url
      .optional()
      .describe('Fetched after every run in which all was well; set it as `secure:`.')
      .meta({ secret: true, example: 'https://beat.example.com/abc' }),
    repeatAfter: duration('6 h').prefault('6 h').describe('The same alert is sent again after this long.'),
  })
  .prefault({})
  .describe('Who is told when something fails.');

const dayInMilliseconds = 86_400_000;

/** Lets a change through although the backup rules refuse it; at most for a day. */
export const breakGlass = z
  .strictObject({
    reason: z
      .string()
      .min(10)
      .describe('Why, in a sentence.')
      .meta({ example: 'repository host lost, ticket OPS-99' }),
    approver: z.string().min(3).describe('Who allowed it.').meta({ example: 'ada@example.com' }),
    issued: instant.describe('From when.'),
    expires: instant.describe('Until when: at most 24 h later.'),
  })
  .refine(value => Date.parse(value.expires) > Date.parse(value.issued), {
    path: ['expires'],
    message: 'expires must be after issued',
  })
  .refine(value => Date.parse(value.expires) - Date.parse(value.issued) <= dayInMilliseconds, {
    path: ['expires'],
    message: 'expires may be at most 24 h after issued',
  });

export const environment = z
  .enum(['production', 'staging'])
  .describe('What the stack is. A cluster provisioned as production can’t be declared staging afterwards.')
  .meta({ example: 'production' });

/** Everything under `holdfast:` in a stack file. */
export const stack = z
  .strictObject({
    environment,
    clusters: z
      .record(name, cluster)
      .refine(clusters => Object.keys(clusters).length > 0, 'at least one cluster is needed')
      .describe('The clusters, by name.'),
    alerts,
    breakGlass: z
      .unknown()
      .optional()
      .describe(
        'Break-glass: `reason`, `approver`, `issued`, `expires` (at most 24 h apart). Expired or incomplete counts as none.',
      ),
  })
  .superRefine(({ environment, clusters }, context) => {
    const taken = new Map<string, string>();
    for (const [clusterName, settings] of Object.entries(clusters)) {
      if (settings.engine === 'rds') {
        for (const { path, message } of rdsConflicts(environment, settings))
          context.addIssue(conflict(['clusters', clusterName, ...path], message));
        continue;
      }
      const { source, connection } = settings;
      const machine = connection.type === 'ssh' ? connection.host : 'this machine';
      for (const key of ['port', 'dataDirectory'] as const) {
        if (source[key] === undefined) continue;
        const place = `${machine} ${key} ${source[key]}`;
        const other = taken.get(place);
        if (other !== undefined)
          context.addIssue(
            conflict(
              ['clusters', clusterName, 'source', key],
              `${source[key]} is also that of clusters.${other} on ${machine}`,
            ),
          );
        taken.set(place, clusterName);
      }
    }
  });

export type StackSettings = z.output<typeof stack>;
export type ClusterSettings = z.output<typeof cluster>;
/** PostgreSQL and pgBackRest on a machine. */
export type HostClusterSettings = Extract<ClusterSettings, { engine: 'host' }>;
/** Amazon RDS. */
export type RdsClusterSettings = Extract<ClusterSettings, { engine: 'rds' }>;
export type SourceSettings = HostClusterSettings['source'];
export type ManagedSource = Extract<SourceSettings, { mode: 'managed' }>;
export type ExistingSource = Extract<SourceSettings, { mode: 'existing' }>;
export type BackupSettings = ClusterSettings['backups'];
export type HostBackupSettings = HostClusterSettings['backups'];
export type RepositorySettings = HostBackupSettings['repositories'][number];
export type ConnectionSettings = HostClusterSettings['connection'];
export type SshConnection = Extract<ConnectionSettings, { type: 'ssh' }>;
export type DatabaseSettings = ClusterSettings['databases'][string];
export type AlertSettings = StackSettings['alerts'];
export type BreakGlass = z.output<typeof breakGlass>;
export type Environment = StackSettings['environment'];
