import {
  ListRecoveryPointsByResourceCommand,
  StartBackupJobCommand,
  StartCopyJobCommand,
} from '@aws-sdk/client-backup';
import {
  DeleteDBInstanceCommand,
  StartDBInstanceAutomatedBackupsReplicationCommand,
} from '@aws-sdk/client-rds';
import { copyTroubles } from '../../core/copies';
import { judge } from '../../core/freshness';
import { openClients } from '../../engines/rds/clients';
import type { RdsContext } from '../../engines/rds/context';
import { evidence } from '../../engines/rds/evidence';
import { region } from '../support/moto/moto';
import { contextOf, createSnapshot, establish, limits, passedNow, useAws } from './support';

const aws = useAws();

const account = '123456789012';

const arn = `arn:aws:rds:${region}:${account}:db:shop-db`;

const IamRoleArn = `arn:aws:iam::${account}:role/backup`;

const vaultArn = (where: string, name: string, of = account) =>
  `arn:aws:backup:${where}:${of}:backup-vault:${name}`;

const clientsIn = ({ clock }: RdsContext, where: string) =>
  openClients(where, clock, { attempts: 2, answerSeconds: 30 });

const listing = /^ListRecoveryPointsByResource$/;

const asked = () => aws.calls.filter(({ action }) => listing.test(action)).map(call => call.region);

/** What AWS Backup does by its plan; the ARN of what it took. */
async function takeRecoveryPoint({ backup }: RdsContext, vault = 'shop-backups'): Promise<string> {
  await backup.send(new StartBackupJobCommand({ BackupVaultName: vault, ResourceArn: arn, IamRoleArn }));
  const { RecoveryPoints: all } = await backup.send(
    new ListRecoveryPointsByResourceCommand({
      ResourceArn: arn,
      ManagedByAWSBackupOnly: true,
      MaxResults: 1000,
    }),
  );
  return all!.at(-1)!.RecoveryPointArn!;
}

async function copyTo({ backup }: RdsContext, point: string, destination: string): Promise<void> {
  await backup.send(
    new StartCopyJobCommand({
      RecoveryPointArn: point,
      SourceBackupVaultName: 'shop-backups',
      DestinationBackupVaultArn: destination,
      IamRoleArn,
    }),
  );
}

describe('recovery points of AWS Backup', () => {
  test('are asked for in production, in one call, and are no backup sets', async () => {
    const context = contextOf({ vault: {} });
    await establish(context);
    await takeRecoveryPoint(context);
    aws.calls.length = 0;
    const found = await evidence(context);
    expect(found.copies).toEqual([
      {
        state: 'known',
        place: 'recovery points in eu-central-1',
        count: 1,
        oldestAt: expect.stringMatching(/^20.*Z$/) as string,
        newestAt: expect.stringMatching(/^20.*Z$/) as string,
        encrypted: true,
      },
    ]);
    expect(aws.calls).toHaveLength(5);
    expect(found.backups.map(({ id }) => id)).toEqual([expect.stringMatching(/^rds:/)]);
  });

  test.each([
    ['of staging', contextOf({ vault: {} }, { environment: 'staging' })],
    ['where they are switched off', contextOf({ vault: { enabled: false } })],
  ])('%s are not asked for', async (_, context) => {
    await establish(context);
    expect((await evidence(context)).copies).toEqual([]);
    expect(asked()).toEqual([]);
  });

  test('of an instance that isn’t there yet are not asked for', async () => {
    expect((await evidence(contextOf({ vault: {} }))).copies).toEqual([]);
    expect(asked()).toEqual([]);
  });

  test('of an instance that is gone are still found', async () => {
    const context = contextOf({ vault: {} });
    await establish(context, { DeletionProtection: false });
    await takeRecoveryPoint(context);
    await createSnapshot(context, 'one');
    await context.rds.send(
      new DeleteDBInstanceCommand({ DBInstanceIdentifier: 'shop-db', SkipFinalSnapshot: true }),
    );
    expect((await evidence(context)).copies).toMatchObject([{ state: 'known', count: 1 }]);
  });

  test('come in pages, oldest and newest among all of them', async () => {
    const context = contextOf({ vault: {} });
    await establish(context);
    for (let i = 0; i < 23; i += 1) await takeRecoveryPoint(context);
    aws.rewrite(listing, answer => {
      const page = JSON.parse(answer) as { RecoveryPoints: { CreationDate: number }[]; NextToken?: string };
      // Not in the order of their age, as AWS doesn't promise any.
      page.RecoveryPoints[1]!.CreationDate = page.NextToken === undefined ? 1_700_000_000 : 1_600_000_000;
      return JSON.stringify(page);
    });
    aws.calls.length = 0;
    const [here] = (await evidence(context)).copies!;
    expect(here).toMatchObject({ count: 23, oldestAt: '2020-09-13T12:26:40.000Z' });
    expect(Date.parse((here as { newestAt: string }).newestAt)).toBeGreaterThan(Date.now() - 3_600_000);
    expect(asked()).toEqual([region, region]);
  });

  test('that are made, deleted, or continuous don’t count', async () => {
    const context = contextOf({ vault: {} });
    await establish(context);
    await takeRecoveryPoint(context);
    for (const status of ['CREATING', 'PARTIAL', 'DELETING', 'EXPIRED', 'AVAILABLE', 'STOPPED']) {
      aws.heal();
      aws.rewrite(listing, answer => answer.replace('"COMPLETED"', `"${status}"`));
      const found = await evidence(context);
      expect([status, found.copies]).toMatchObject([status, [{ count: 0, newestAt: null, oldestAt: null }]]);
    }
  });

  test('one of which isn’t encrypted aren’t', async () => {
    const context = contextOf({ vault: {} });
    await establish(context);
    await takeRecoveryPoint(context);
    await takeRecoveryPoint(context);
    aws.rewrite(listing, answer => answer.replace(/"EncryptionKeyArn": "[^"]*", /, ''));
    expect((await evidence(context)).copies).toMatchObject([{ count: 2, encrypted: false }]);
  });
});

describe('copies of recovery points', () => {
  const theirs = vaultArn('eu-north-1', 'shop', '444455556666');
  const elsewhere = {
    vault: {
      copies: [
        { to: 'region', region: 'eu-west-1' },
        { to: 'vault', vault: vaultArn('eu-west-1', 'archive') },
        { to: 'vault', vault: vaultArn(region, 'second') },
        { to: 'vault', vault: theirs },
      ],
    },
  };

  test('are told vault by vault, in one call a region; those of another account can’t be', async () => {
    const context = contextOf(elsewhere);
    await establish(context);
    const point = await takeRecoveryPoint(context);
    await takeRecoveryPoint(context);
    for (const vault of ['shop-backups-eu-west-1', 'archive', 'archive', 'archive'])
      await copyTo(context, point, vaultArn('eu-west-1', vault));
    await copyTo(context, point, vaultArn(region, 'second'));
    aws.calls.length = 0;
    expect((await evidence(context)).copies).toMatchObject([
      { place: 'recovery points in eu-central-1', count: 2 },
      { place: 'recovery points in eu-west-1', count: 1 },
      { place: `recovery points in vault archive of ${account} in eu-west-1`, count: 3 },
      { place: `recovery points in vault second of ${account} in eu-central-1`, count: 1 },
      {
        state: 'foreign',
        place: 'recovery points in vault shop of 444455556666 in eu-north-1',
        reason: 'only the account 444455556666 can be asked for them',
      },
    ]);
    expect(asked().sort()).toEqual([region, 'eu-west-1']);
  });

  test('that AWS doesn’t let us ask for are unknown by themselves, and block no change', async () => {
    const context = contextOf(elsewhere);
    await establish(context);
    await takeRecoveryPoint(context);
    await createSnapshot(context, 'one', passedNow());
    aws.refuse(listing, 'AccessDeniedException', {
      status: 403,
      when: call => call.region === 'eu-west-1',
    });
    const found = await evidence(context);
    const denied = { state: 'unknown', reason: expect.stringContaining('AWS denies it') as string };
    expect(found.copies).toMatchObject([{ state: 'known' }, denied, denied, { state: 'known' }, {}]);
    expect(found.problems).toEqual([]);
    expect(judge(found, limits).verdict).toBe('fresh');
    expect(copyTroubles(found, limits).map(({ place, remedy }) => [place, remedy])).toEqual([
      ['recovery points in eu-west-1', 'Allow it in the IAM policy of who asks.'],
      [
        `recovery points in vault archive of ${account} in eu-west-1`,
        'Allow it in the IAM policy of who asks.',
      ],
    ]);
  });

  test('throttled once are asked for again', async () => {
    const context = contextOf({ vault: {} });
    await establish(context);
    await takeRecoveryPoint(context);
    aws.refuse(listing, 'ThrottlingException', { status: 429, times: 1 });
    expect((await evidence(context)).copies).toMatchObject([{ state: 'known', count: 1 }]);
  });

  test('where AWS knows nothing of the instance are none', async () => {
    const context = contextOf({ vault: {} });
    await establish(context);
    aws.refuse(listing, 'ResourceNotFoundException', { status: 404 });
    expect((await evidence(context)).copies).toMatchObject([{ state: 'known', count: 0 }]);
  });

  test('that stopped coming are told of two days after the last, and block no change', async () => {
    const context = contextOf({ vault: { copies: [{ to: 'region', region: 'eu-west-1' }] } });
    await establish(context);
    const point = await takeRecoveryPoint(context);
    await copyTo(context, point, vaultArn('eu-west-1', 'shop-backups-eu-west-1'));
    aws.skewSeconds = 47 * 3600;
    expect(copyTroubles(await evidence(context), limits)).toEqual([]);
    aws.skewSeconds = 50 * 3600;
    // The instance’s own recovery points go on.
    aws.rewrite(listing, (answer, call) =>
      call.region === region
        ? answer.replace(/"CreationDate": [\d.]+/, `"CreationDate": ${Date.now() / 1000 + 48 * 3600}`)
        : answer,
    );
    const found = await evidence(context);
    expect(copyTroubles(found, limits)).toMatchObject([
      { place: 'recovery points in eu-west-1', message: expect.stringContaining('is 2 d') as string },
    ]);
    expect(judge(found, limits).findings.filter(({ message }) => message.includes('eu-west-1'))).toEqual([]);
  });
});

describe('automated backups that are replicated', () => {
  const replicating = { replication: { region: 'eu-west-1' } };
  const start = (context: RdsContext) =>
    clientsIn(context, 'eu-west-1').rds.send(
      new StartDBInstanceAutomatedBackupsReplicationCommand({ SourceDBInstanceArn: arn }),
    );

  test('say in the other region what they reach', async () => {
    const context = contextOf(replicating);
    await establish(context);
    await start(context);
    aws.calls.length = 0;
    const found = await evidence(context);
    expect(found.copies).toEqual([
      {
        state: 'known',
        place: 'automated backups in eu-west-1',
        count: null,
        oldestAt: expect.stringMatching(/^20.*Z$/) as string,
        newestAt: expect.stringMatching(/^20.*Z$/) as string,
        encrypted: true,
      },
    ]);
    expect(aws.calls.map(call => `${call.action} ${call.region}`)).toContain(
      'DescribeDBInstanceAutomatedBackups eu-west-1',
    );
    expect(aws.calls).toHaveLength(5);
  });

  test('that are declared and don’t exist are none, which is told of once the cluster isn’t new', async () => {
    const context = contextOf(replicating);
    await establish(context);
    expect((await evidence(context)).copies).toMatchObject([
      { state: 'known', newestAt: null, oldestAt: null, encrypted: false },
    ]);
    aws.skewSeconds = limits.maximumAge + 3600;
    expect(copyTroubles(await evidence(context), limits)).toMatchObject([
      { message: 'there are no automated backups in eu-west-1' },
    ]);
  });

  test('in a region that denies it are unknown', async () => {
    const context = contextOf(replicating);
    await establish(context);
    aws.refuse(/^DescribeDBInstanceAutomatedBackups$/, 'AccessDenied', {
      when: call => call.region === 'eu-west-1',
    });
    const found = await evidence(context);
    expect(found.copies).toMatchObject([
      {
        state: 'unknown',
        reason: expect.stringContaining('describing the automated backups failed: AWS denies it') as string,
      },
    ]);
    expect(found.restorable).not.toBeNull();
  });
});
