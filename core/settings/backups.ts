import * as z from 'zod';
import { absolutePath, cron, cronOrNever, duration, host, line, passphrase } from './values';

/** Where backup sets and archived WAL are kept. */
export const repository = z.discriminatedUnion('type', [
  z
    .strictObject({
      type: z.literal('local').describe('A directory on the cluster’s machine.'),
      path: absolutePath
        .optional()
        .describe('Directory of the repository. Default: `<home>/repositories/<cluster>`.')
        .meta({ example: '/srv/backups/shop' }),
      encryption: z
        .boolean()
        .default(false)
        .describe(
          'Encrypt with aes-256-cbc. A local repository lies beside the data that it protects, so it is not encrypted by default.',
        ),
      passphrase: passphrase
        .optional()
        .describe(
          'Passphrase of the repository, at least 16 characters; set it as `secure:` and keep a copy elsewhere.',
        ),
    })
    .refine(value => !value.encryption || value.passphrase !== undefined, {
      path: ['passphrase'],
      message: 'an encrypted repository needs a passphrase',
    })
    .refine(value => value.encryption || value.passphrase === undefined, {
      path: ['encryption'],
      message:
        'a passphrase is given, but encryption is off: set `encryption: true`, or remove the passphrase',
    }),
  z.strictObject({
    type: z.literal('s3').describe('A bucket of an S3-compatible service.'),
    bucket: line.min(3).describe('Bucket; it must exist.').meta({ example: 'shop-backups' }),
    endpoint: host
      .describe('Host of the S3-compatible service.')
      .meta({ example: 's3.eu-central-1.example.com' }),
    region: line.meta({ example: 'eu-central-1' }).describe('Region of the bucket.'),
    path: absolutePath
      .default('/holdfast')
      .describe('Prefix inside the bucket.')
      .meta({ example: '/holdfast' }),
    uriStyle: z.enum(['host', 'path']).default('host').describe('How the bucket is addressed.'),
    key: line.describe('Access key; set it as `secure:`.').meta({ secret: true }),
    keySecret: line.describe('Secret of the access key; set it as `secure:`.').meta({ secret: true }),
    passphrase: passphrase.describe(
      'Off the machine a repository is always encrypted; at least 16 characters, set as `secure:`.',
    ),
  }),
]);

/** Where a repository is, to tell two from each other. */
function placeOf(settings: z.output<typeof repository> | undefined): string | undefined {
  if (settings === undefined) return undefined;
  if (settings.type === 'local') return `local ${settings.path ?? 'default'}`;
  return `s3 ${settings.endpoint} ${settings.bucket} ${settings.path}`;
}

export const schedules = z
  .strictObject({
    full: cron('30 1 * * 0').default('30 1 * * 0').describe('Full backups. UTC, as all schedules.'),
    differential: cronOrNever('30 1 * * 1-6')
      .default('30 1 * * 1-6')
      .describe('Differential backups, or `never`.'),
    incremental: cronOrNever('30 7-23/6 * * *').default('never').describe('Incremental backups, or `never`.'),
    verification: cron('30 3 * * *')
      .default('30 3 * * *')
      .describe('Restores the newest backup set and checks it.'),
  })
  .prefault({});

export const retention = z
  .strictObject({
    full: z.number().int().min(2).max(999).default(4).describe('Full backups that are kept; their WAL too.'),
    differential: z
      .number()
      .int()
      .min(1)
      .max(999)
      .default(14)
      .describe('Differential backups that are kept.'),
  })
  .prefault({});

export const verification = z
  .strictObject({
    checks: z
      .array(
        z.strictObject({
          database: z.string().min(1).describe('Database in which it runs.').meta({ example: 'shop' }),
          name: z.string().min(1).describe('What it checks.').meta({ example: 'orders have lines' }),
          sql: z
            .string()
            .min(1)
            .describe('A query whose first column of its only row must be true.')
            .meta({ example: 'select count(*) > 0 from app.orders' }),
        }),
      )
      .default([])
      .describe('SQL checks that run in the clone.'),
    allowedFalls: z
      .array(z.string().min(1).meta({ example: 'shop.app.sessions' }))
      .default([])
      .describe(
        'Tables (database.schema.table) that may lose over 20 % of their rows between two verifications.',
      ),
  })
  .prefault({});

/** What is promised of every cluster, whatever runs it. */
const promises = {
  maximumAge: duration('26 h')
    .prefault('26 h')
    .describe('The newest backup may be this old before changes are blocked.'),
  verificationMaximumAge: duration('7 d')
    .prefault('7 d')
    .describe('Some usable backup must have been verified this recently.'),
  snapshot: z
    .enum(['when-needed', 'always'])
    .default('when-needed')
    .describe(
      'Before a change: a backup only when replaying WAL since the newest one would take longer than the RTO, or always. RDS doesn’t tell how long that would take, so there it is always.',
    ),
  verification: verification.describe('What is checked in the clone of a verification, beside `pg_amcheck`.'),
};

const rto = (usual: string) =>
  duration(usual)
    .prefault(usual)
    .describe('Recovery time objective: a restore may take this long; measured by verification.');

/** How a cluster is backed up, and what is promised for it. */
export const backups = z
  .strictObject({
    schedules: schedules.describe('When backups and verifications are due.'),
    retention: retention.describe('How many backups are kept.'),
    rpo: duration('5 min')
      .prefault('5 min')
      .describe('Recovery point objective: the oldest change that is not archived may be this old.'),
    rto: rto('1 h'),
    repositories: z
      .array(repository)
      .min(1)
      .max(2)
      .refine(([first, second]) => placeOf(first) !== placeOf(second), {
        path: [1],
        message: 'the second repository is in the same place as the first, so it protects from nothing',
      })
      .prefault([{ type: 'local' }])
      .describe('One or two repositories; the first is restored from.'),
    ...promises,
  })
  .prefault({});

/** RDS uploads WAL about every five minutes, which takes a while: what is younger can't be promised. In seconds. */
const shortestRdsRpo = 600;

const onlySnapshots = z
  .literal('never')
  .default('never')
  .describe('RDS has only snapshots, each of them complete.');

const rdsSchedules = z
  .strictObject({
    full: cron('30 1 * * *').default('30 1 * * *').describe('Snapshots. UTC, as all schedules.'),
    differential: onlySnapshots,
    incremental: onlySnapshots,
    verification: cron('30 3 * * 2,5')
      .default('30 3 * * 2,5')
      .describe(
        'Restores the newest snapshot into an instance of its own, and checks it. That instance costs as long as it runs.',
      ),
  })
  .prefault({});

/** The same on Amazon RDS, which keeps backups in a place of its own, and where a restore takes longer. */
export const rdsBackups = z
  .strictObject({
    schedules: rdsSchedules.describe('When snapshots and verifications are due.'),
    rpo: duration('15 min')
      .refine(seconds => seconds >= shortestRdsRpo, {
        error: 'RDS can’t keep less than 10 min, as it uploads WAL only about every 5 min',
      })
      .prefault('15 min')
      .describe('Recovery point objective: the latest restorable time may be this old; at least 10 min.'),
    rto: rto('2 h'),
    ...promises,
  })
  .prefault({});
