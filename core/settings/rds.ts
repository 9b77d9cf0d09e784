import * as z from 'zod';
import { absolutePath, duration } from './values';

const days = (example: string, description: string) =>
  duration(example).prefault(example).describe(description);

/**
 * A DB instance of Amazon RDS for PostgreSQL: which it is, and what its engine needs to know. How it is backed up in time and
 * what is promised for it is said elsewhere; what exists is always asked of AWS.
 */
export const rds = z.strictObject({
  instance: z
    .string()
    .regex(
      /^[a-z](?:-?[a-z0-9]){0,62}$/,
      'an instance identifier has lower-case letters, digits and single "-" inside, begins with a letter and has at most 63 characters',
    )
    .describe('Identifier of the DB instance. It stays the same when a restore swaps the instance.')
    .meta({ example: 'shop-production' }),
  region: z
    .string()
    .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/, 'must be a region of AWS')
    .describe('Region of the instance.')
    .meta({ example: 'eu-central-1' }),
  source: z
    .enum(['managed', 'existing'])
    .default('managed')
    .describe('`managed`: created by Holdfast. `existing`: adopted with its data.'),
  snapshots: z
    .strictObject({
      keepFor: days(
        '14 d',
        'How long a snapshot of the schedule is kept. RDS keeps manual snapshots for ever, and has room for 100 in a region.',
      ),
      keepForChange: days('30 d', 'How long a snapshot that was taken for a change is kept.'),
    })
    .prefault({})
    .describe(
      'Manual snapshots that Holdfast takes. The newest usable and the last verified one are always kept.',
    ),
  cloneClass: z
    .string()
    .regex(/^db\.[a-z0-9-]+\.[a-z0-9]+$/, 'an instance class is needed')
    .optional()
    .describe(
      'Instance class of clones that are looked at or verified. Default: that of the instance, so that a verification measures a real restore.',
    )
    .meta({ example: 'db.t4g.medium' }),
  quarantineSecurityGroup: z
    .string()
    .regex(/^sg-[0-9a-f]{8,17}$/, 'the id of a security group is needed')
    .optional()
    .describe(
      'A security group without any rule. A restore to the latest moment moves the instance into it, so that nothing is written any more; without one, only a restore to a time is possible.',
    )
    .meta({ example: 'sg-0a1b2c3d4e5f60718' }),
  certificateAuthorities: absolutePath
    .optional()
    .describe(
      'File with the certificate authorities of RDS in PEM (`global-bundle.pem`). Default: those that Node.js trusts, which `NODE_EXTRA_CA_CERTS` extends.',
    )
    .meta({ example: '/etc/ssl/rds-global-bundle.pem' }),
  waitUpTo: duration('12 h')
    .prefault('12 h')
    .describe('How long a snapshot, a clone or a swap may take before waiting for it is given up.'),
});

export type RdsSettings = z.output<typeof rds>;
