import * as z from 'zod';
import { keyArn, region, timeOfDay, vaultArn, wholeDays } from './aws-values';

const days = (example: string, description: string) =>
  wholeDays(example).prefault(example).describe(description);

const keepCopyFor = days('35 d', 'How long a copy is kept.');

const lock = z
  .discriminatedUnion('mode', [
    z.strictObject({
      mode: z.literal('governance').describe('Only who may change the lock can delete before time.'),
      minimum: days('7 d', 'Nothing in the vault can be kept shorter, or deleted earlier.'),
      maximum: days('365 d', 'Nothing in the vault can be kept longer.'),
    }),
    z.strictObject({
      mode: z
        .literal('compliance')
        .describe('After the cooling-off nobody can delete before time or change the lock, AWS included.'),
      minimum: days('7 d', 'Nothing in the vault can be kept shorter, or deleted earlier.'),
      maximum: days('365 d', 'Nothing in the vault can be kept longer.'),
      coolingOff: days('3 d', 'For so long the lock can be taken back; at least 3 d.'),
      confirmation: z
        .string()
        .describe('The sentence `compliance of <instance> cannot be undone`, typed by whoever decided it.')
        .meta({ example: 'compliance of shop-production cannot be undone' }),
    }),
    z.strictObject({ mode: z.literal('none').describe('No lock; not in production.') }),
  ])
  .prefault({ mode: 'governance' });

const copy = z.discriminatedUnion('to', [
  z.strictObject({
    to: z.literal('region').describe('A vault that is made in another region of this account.'),
    region: region.describe('The other region.').meta({ example: 'eu-west-1' }),
    kmsKey: keyArn.optional().describe('KMS key there. Default: one is made.'),
    keepFor: keepCopyFor,
  }),
  z.strictObject({
    to: z
      .literal('vault')
      .describe(
        'A vault that exists, of another account too: its policy has to let this account copy into it.',
      ),
    vault: vaultArn.describe('The vault.'),
    keepFor: keepCopyFor,
  }),
]);

/** What AWS Backup keeps of an instance, out of reach of who may delete instances and snapshots. */
export const vault = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .describe('Whether AWS Backup keeps copies at all. Default: in production.'),
    dailyAt: timeOfDay
      .default('12:00')
      .describe('When a snapshot is taken each day, UTC; best half a day from the automated one.'),
    keepFor: days('35 d', 'How long it is kept.'),
    lock: lock.describe('What keeps recovery points from being deleted.'),
    copies: z.array(copy).max(4).default([]).describe('Copies elsewhere, made after each snapshot.'),
  })
  .prefault({});

/** Point-in-time recovery in another region: automated backups, replicated by RDS. */
export const replication = z
  .strictObject({
    region: region.describe('The other region.').meta({ example: 'eu-west-1' }),
    keepFor: days('7 d', 'How far point-in-time recovery reaches back there, at most 35 d.'),
    kmsKey: keyArn.optional().describe('KMS key there. Default: one is made.'),
  })
  .optional();
