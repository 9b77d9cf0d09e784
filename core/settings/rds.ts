import * as z from 'zod';
import {
  instanceClass,
  instanceIdentifier,
  region,
  securityGroupId,
  size,
  subnetId,
  tags,
} from './aws-values';
import { existingInstance, managedInstance } from './rds-source';
import { replication, vault } from './rds-vault';
import { absolutePath, duration, host, port } from './values';

const days = (example: string, description: string) =>
  duration(example).prefault(example).describe(description);

const telling = z
  .strictObject({
    emails: z
      .array(z.email({ error: 'must be an e-mail address' }))
      .default([])
      .describe('Addresses; each has to confirm a message of AWS once.')
      .meta({ example: '[oncall@example.com]' }),
    webhook: z
      .url({ protocol: /^https$/, error: 'must be an https URL' })
      .optional()
      .describe(
        'Gets the messages of SNS by POST, the first of which asks it to confirm; set it as `secure:`.',
      )
      .meta({ secret: true, example: 'https://hooks.example.com/sns' }),
    lowStorage: size('5 GiB')
      .prefault('5 GiB')
      .describe(
        'Tell when less storage is free. RDS raises it earlier where it may: this says that it doesn’t.',
      ),
    replicas: z
      .array(instanceIdentifier)
      .default([])
      .describe('Read replicas, made elsewhere, whose lag is watched.')
      .meta({ example: '[shop-replica]' }),
    replicaLag: duration('5 min').prefault('5 min').describe('Tell when a replica is this far behind.'),
  })
  .prefault({});

const unattended = z
  .strictObject({
    network: z
      .strictObject({
        subnets: z
          .array(subnetId)
          .min(1)
          .describe('Subnets of the Lambda, from which AWS’s APIs can be reached (NAT, or VPC endpoints).')
          .meta({ example: '[subnet-0a1b2c3d4e5f60718]' }),
        securityGroups: z
          .array(securityGroupId)
          .min(1)
          .max(5)
          .describe(
            'Security groups of the Lambda, with HTTPS to AWS’s APIs and the instance’s port open. A managed instance lets them in.',
          )
          .meta({ example: '[sg-0a1b2c3d4e5f60718]' }),
      })
      .optional()
      .describe(
        'Where in the VPC the unattended jobs run. Verification speaks SQL, and needs it; without it only what needs no SQL runs unattended, and `holdfast verify` has to be run by a person, or the gate closes.',
      ),
    logRetentionDays: z
      .literal([7, 14, 30, 60, 90, 180, 365])
      .default(90)
      .describe('Days that the logs of the unattended jobs are kept.'),
  })
  .prefault({});

const reach = z.discriminatedUnion('through', [
  z.strictObject({
    through: z
      .literal('endpoint')
      .describe('Straight to the endpoint of the instance: from inside its VPC, or over a VPN.'),
  }),
  z.strictObject({
    through: z
      .literal('tunnel')
      .describe(
        'By a port that leads there: of a bastion, or port forwarding of SSM (docs/aws.md). It has to be open while `pulumi preview` and `up` run.',
      ),
    host: host.default('127.0.0.1').describe('Where the tunnel begins.').meta({ example: '127.0.0.1' }),
    port: port.describe('Port of the tunnel.').meta({ example: 15_432 }),
  }),
]);

/**
 * A DB instance of Amazon RDS for PostgreSQL: which it is, and what its engine needs to know. How it is backed up in time and
 * what is promised for it is said elsewhere; what exists is always asked of AWS.
 */
export const rds = z.strictObject({
  instance: instanceIdentifier.describe(
    'Identifier of the DB instance. It stays the same when a restore swaps the instance.',
  ),
  region: region.describe('Region of the instance.'),
  source: z
    .discriminatedUnion('mode', [managedInstance, existingInstance])
    .describe('`managed`: created by Holdfast. `existing`: adopted with its data.'),
  tags: tags.describe('Tags of all that is made.'),
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
  vault: vault.describe('What AWS Backup keeps, out of reach of who may delete instances and snapshots.'),
  replication: replication.describe(
    'Automated backups replicated to another region, for point-in-time recovery there.',
  ),
  telling: telling.describe('Who is told by AWS itself, whether or not the jobs run.'),
  unattended: unattended.describe('The Lambda that runs what is due, every five minutes.'),
  cloneClass: instanceClass
    .optional()
    .describe(
      'Instance class of clones that are looked at or verified. Default: that of the instance, so that a verification measures a real restore.',
    )
    .meta({ example: 'db.t4g.medium' }),
  quarantineSecurityGroup: securityGroupId
    .optional()
    .describe(
      'A security group without any rule. A restore to the latest moment moves the instance into it, so that nothing is written any more; without one, only a restore to a time is possible. Default: of a managed instance one is made.',
    ),
  reach: reach
    .optional()
    .describe(
      'How PostgreSQL of the instance is reached from where Pulumi runs, which then manages `databases`. Without it they are not, and every preview says so. Once they are managed, it can’t be left out.',
    ),
  certificateAuthorities: absolutePath
    .optional()
    .describe(
      'File with the certificate authorities of RDS in PEM (`global-bundle.pem`). Default: those that Node.js trusts, which `NODE_EXTRA_CA_CERTS` extends. With `reach`, one of the two has to name the file.',
    )
    .meta({ example: '/etc/ssl/rds-global-bundle.pem' }),
  waitUpTo: duration('12 h')
    .prefault('12 h')
    .describe('How long a snapshot, a clone or a swap may take before waiting for it is given up.'),
});

export type RdsSettings = z.output<typeof rds>;
export type ManagedInstance = Extract<RdsSettings['source'], { mode: 'managed' }>;
export type VaultSettings = RdsSettings['vault'];
export type VaultLock = VaultSettings['lock'];
export type CopySettings = VaultSettings['copies'][number];
export type ReplicationSettings = NonNullable<RdsSettings['replication']>;
