import * as z from 'zod';
import {
  dailyWindow,
  instanceClass,
  keyArn,
  network,
  securityGroupId,
  size,
  sizeOrFixed,
  subnetId,
  vpcId,
  weeklyWindow,
} from './aws-values';
import { conflict } from './values';

const storage = z
  .strictObject({
    type: z
      .enum(['gp3', 'io2'])
      .default('gp3')
      .describe('Kind of storage: `gp3` for most, `io2` where latency has to be even.'),
    size: size('100 GiB')
      .prefault('100 GiB')
      .describe('Storage at the beginning, at least 20 GiB. It can be raised, never lowered.'),
    maximum: sizeOrFixed('1 TiB')
      .prefault('1 TiB')
      .describe(
        'Up to here RDS raises the storage by itself when it is nearly full, at least 10 % above `size`; or `fixed`. What has grown stays.',
      ),
    iops: z
      .number()
      .int()
      .min(1000)
      .max(256_000)
      .optional()
      .describe(
        'Provisioned IOPS: needed for `io2`; with `gp3` only from 400 GiB on. Default: what `gp3` has.',
      )
      .meta({ example: 12_000 }),
    throughput: z
      .number()
      .int()
      .min(500)
      .max(4000)
      .optional()
      .describe('Provisioned MiB/s; only `gp3`, and from 400 GiB on.')
      .meta({ example: 500 }),
  })
  .superRefine(({ type, size: least, maximum, iops, throughput }, context) => {
    const refuse = (key: string, message: string) => context.addIssue(conflict([key], message));
    if (least < 20) refuse('size', `${least} GiB is less than RDS gives: 20 GiB`);
    if (maximum !== 'fixed' && maximum < least * 1.1)
      refuse('maximum', `${maximum} GiB is less than 10 % above storage.size (${least} GiB)`);
    if (type === 'io2' && iops === undefined) refuse('iops', 'storage.type io2 needs provisioned IOPS');
    if (type === 'io2' && throughput !== undefined)
      refuse('throughput', 'storage.type io2 has no provisioned throughput');
    // https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage
    for (const [key, given] of Object.entries({ iops, throughput }))
      if (type === 'gp3' && given !== undefined && least < 400)
        refuse(key, `gp3 has it provisioned from 400 GiB on, and storage.size is ${least} GiB`);
  })
  .prefault({});

const reservedParameters = ['rds.force_ssl'];

const parameters = z
  .record(
    z.string().regex(/^[a-z_]+(\.[a-z_]+)?$/, 'a parameter has lower-case letters and "_"'),
    z
      .union([z.string().regex(/^\P{Cc}*$/u), z.number(), z.boolean()], {
        error: 'must be one line of text, a number, or true or false',
      })
      .meta({ example: 'ddl' }),
  )
  .superRefine((given, context) => {
    for (const key of Object.keys(given))
      if (reservedParameters.includes(key))
        context.addIssue(conflict([key], `${key} is set by Holdfast: connections are always encrypted`));
  })
  .default({})
  .describe(
    'Parameters of the parameter group, by name, as RDS writes them. `log_statement: ddl` unless it is set here; `rds.force_ssl` is always 1. Some need a reboot: RDS says so (`holdfast status`), and nothing reboots by itself.',
  );

/** Created and changed by Holdfast. */
export const managedInstance = z.strictObject({
  mode: z.literal('managed').describe('Created by Holdfast, or imported (docs/aws.md).'),
  version: z
    .string({ error: 'a version in quotes is needed: without them YAML makes 17.1 of 17.10' })
    .regex(/^1[3-9](\.\d{1,2})?$/, 'must be a version of PostgreSQL, 13 or later')
    .describe(
      'Version of PostgreSQL, in quotes. The only way that it changes: RDS’s own minor upgrades are off, because they come without a snapshot of ours and without staging first. With a major version alone (`"17"`), RDS chooses the minor one at creation.',
    )
    .meta({ example: '"17.6"' }),
  allowMajorUpgrade: z
    .boolean()
    .default(false)
    .describe('Let a change of `version` be one of the major version. It can’t be undone but by a restore.'),
  class: instanceClass.describe('Instance class: what it costs, most of all.'),
  storage: storage.describe('Storage; always encrypted.'),
  network: z
    .strictObject({
      vpc: vpcId.describe('VPC of the instance.'),
      subnets: z
        .array(subnetId)
        .min(2)
        .describe('Subnets of at least two availability zones. The instance gets no public address.')
        .meta({ example: '[subnet-0a1b2c3d4e5f60718, subnet-1a1b2c3d4e5f60718]' }),
      allowSecurityGroups: z
        .array(securityGroupId)
        .default([])
        .describe('Security groups from which one may connect.'),
      allowNetworks: z.array(network).default([]).describe('Networks from which one may connect.'),
    })
    .describe('Where it is, and who may connect.'),
  port: z.number().int().min(1150).max(65_535).default(5432).describe('Port.'),
  masterUser: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be a name of a role')
    .default('holdfast')
    .describe(
      'Master user; RDS makes its password and keeps it in Secrets Manager. Changing it would make another instance.',
    ),
  kmsKey: keyArn
    .optional()
    .describe(
      'KMS key of storage, snapshots, master secret and Performance Insights. Default: one is made. Changing it would make another instance.',
    ),
  multiAz: z
    .boolean()
    .optional()
    .describe(
      'A standby in another availability zone; doubles the cost. Default: in production, where it has to be.',
    ),
  deletionProtection: z
    .boolean()
    .optional()
    .describe('RDS refuses to delete the instance. Default: in production, where it has to be.'),
  automatedBackups: z
    .strictObject({
      retentionDays: z
        .number()
        .int()
        .min(0)
        .max(35)
        .default(14)
        .describe(
          'Days that point-in-time recovery reaches back: 7 to 35 in production. 0 is refused: it would switch it off, with a reboot.',
        ),
      window: dailyWindow
        .default('00:30-01:00')
        .describe('When RDS takes its daily snapshot, UTC, at least 30 minutes.'),
    })
    .prefault({})
    .describe('RDS’s own backups: a snapshot a day, and WAL every five minutes.'),
  maintenanceWindow: weeklyWindow
    .default('sun:04:30-sun:05:30')
    .describe('When RDS makes changes that wait, UTC, at least 30 minutes, apart from the backups’ window.'),
  applyImmediately: z
    .boolean()
    .default(false)
    .describe(
      'Make the changes of this update at once, some with an outage, rather than in the next maintenance window. Set it for one update.',
    ),
  parameters,
  iamAuthentication: z.boolean().default(false).describe('Let roles log in with tokens of IAM, too.'),
  performanceInsights: z
    .boolean()
    .default(true)
    .describe('Keep seven days of Performance Insights, which cost nothing.'),
});

/** Adopted: nothing of the instance is managed. */
export const existingInstance = z.strictObject({
  mode: z
    .literal('existing')
    .describe(
      'Adopted with its data. Nothing of the instance is managed; gates and jobs stand all the same.',
    ),
});
