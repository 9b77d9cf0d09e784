import * as z from 'zod';
import { duration } from './values';

/* The kinds of values that settings of Amazon RDS are made of, beside those of values.ts. */

const gibibytesOf = { GiB: 1, TiB: 1024 } as const;

function parseGibibytes(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,6}) ?(GiB|TiB)$/.exec(text.trim()) ?? [];
  return unit === undefined ? undefined : Number(amount) * gibibytesOf[unit as keyof typeof gibibytesOf];
}

/** A size of storage with its unit, read as GiB: what RDS counts in. */
export const size = (example: string) =>
  z
    .codec(z.string(), z.number().int().positive(), {
      decode: (text, context) => parseGibibytes(text) ?? notASize(text, context, ''),
      encode: gibibytes => `${gibibytes} GiB`,
    })
    .meta({ example, kind: 'size' });

/** A size, or `fixed`. */
export const sizeOrFixed = (example: string) =>
  z
    .codec(z.string(), z.union([z.literal('fixed'), z.number().int().positive()]), {
      decode: (text, context) =>
        text === 'fixed' ? 'fixed' : (parseGibibytes(text) ?? notASize(text, context, ', nor `fixed`')),
      encode: value => (value === 'fixed' ? value : `${value} GiB`),
    })
    .meta({ example, kind: 'size, or `fixed`' });

function notASize(text: string, context: z.core.ParsePayload, or: string): never {
  context.issues.push({
    code: 'custom',
    input: text,
    message: `${JSON.stringify(text)} is not a size with a unit (GiB, TiB)${or}`,
  });
  return z.NEVER;
}

const daySeconds = 86_400;

/** A duration of whole days, read as seconds: what AWS can keep something for. */
export const wholeDays = (example: string) =>
  duration(example)
    .refine(seconds => seconds % daySeconds === 0, { error: 'whole days are needed' })
    .meta({ example, kind: 'duration' });

/** Identifier of a DB instance. */
export const instanceIdentifier = z
  .string()
  .regex(
    /^[a-z](?:-?[a-z0-9]){0,62}$/,
    'an instance identifier has lower-case letters, digits and single "-" inside, begins with a letter and has at most 63 characters',
  )
  .meta({ example: 'shop-production' });

export const region = z
  .string()
  .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'must be a region of AWS')
  .meta({ example: 'eu-central-1' });

export const instanceClass = z
  .string()
  .regex(/^db\.[a-z0-9-]+\.[a-z0-9]+$/, 'an instance class is needed')
  .meta({ example: 'db.m7g.large' });

const resource = (prefix: string, what: string, example: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `the id of ${what} is needed`)
    .meta({ example });

export const vpcId = resource('vpc', 'a VPC', 'vpc-0a1b2c3d4e5f60718');
export const subnetId = resource('subnet', 'a subnet', 'subnet-0a1b2c3d4e5f60718');
export const securityGroupId = resource('sg', 'a security group', 'sg-0a1b2c3d4e5f60718');

export const keyArn = z
  .string()
  .regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the ARN of a KMS key is needed')
  .meta({ example: 'arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9' });

export const vaultArn = z
  .string()
  .regex(
    /^arn:aws[a-z-]*:backup:[a-z0-9-]+:\d{12}:backup-vault:[A-Za-z0-9_-]{2,50}$/,
    'the ARN of a backup vault is needed',
  )
  .meta({ example: 'arn:aws:backup:eu-west-1:444455556666:backup-vault:shop' });

/** A network that may connect; what is as wide as the internet is refused. */
export const network = z
  .union([z.cidrv4(), z.cidrv6()], { error: 'must be a network in CIDR notation' })
  .refine(
    text => {
      const prefix = Number(text.split('/')[1]);
      return text.includes(':') ? prefix >= 32 : prefix >= 8;
    },
    {
      error: 'this network is too wide to say who may connect: at least /8 (IPv4) or /32 (IPv6) is needed',
    },
  )
  .meta({ example: '10.0.0.0/16' });

const clock = '(?:[01]\\d|2[0-3]):[0-5]\\d';
const day = '(?:mon|tue|wed|thu|fri|sat|sun)';

/** A time of the day, UTC. */
export const timeOfDay = z
  .string()
  .regex(new RegExp(`^${clock}$`), 'a time of the day is needed, UTC')
  .meta({ example: '12:00', kind: 'time of the day' });

/** When each day, UTC. */
export const dailyWindow = z
  .string()
  .regex(new RegExp(`^${clock}-${clock}$`), 'a window of the day is needed, UTC')
  .meta({ example: '00:30-01:00', kind: 'daily window' });

/** When each week, UTC. */
export const weeklyWindow = z
  .string()
  .regex(new RegExp(`^${day}:${clock}-${day}:${clock}$`), 'a window of the week is needed, UTC')
  .meta({ example: 'sun:04:30-sun:05:30', kind: 'weekly window' });

/** A tag of AWS; the keys `aws:` and `holdfast:` are taken. */
export const tags = z
  .record(
    z
      .string()
      .regex(/^(?!aws:|holdfast:)[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u, 'this can’t be the key of a tag'),
    z
      .string()
      .regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,256}$/u, 'this can’t be the value of a tag')
      .meta({
        example: 'shop',
      }),
  )
  .default({});
