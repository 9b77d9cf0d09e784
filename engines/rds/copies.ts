import { paginateListRecoveryPointsByResource, type RecoveryPointByResource } from '@aws-sdk/client-backup';
import type { CopyEvidence, KnownCopies, Problem } from '../../core/evidence';
import { keepsVault } from '../../core/rds/choices';
import { list, optional, text } from './answers';
import { automatedBackup, restorableRange } from './automated';
import { openClients } from './clients';
import type { RdsContext } from './context';
import { isNotFound, problemOf } from './failure';

/** A region may be down, which is when somebody asks for the status. */
const patience = { attempts: 3, answerSeconds: 5 };

/** Where AWS Backup keeps recovery points of the instance. */
interface Place {
  readonly name: string;
  readonly region: string;
  /** Null: that of the instance. */
  readonly account: string | null;
  /** Null: the vault that was made for the cluster. */
  readonly vault: string | null;
}

/**
 * What is kept of the instance beside its snapshots and automated backups: recovery points of AWS Backup and automated backups that
 * are replicated to another region. Nothing is asked where none of it is declared.
 *
 * What can't be read is no problem of the evidence: a copy that is late blocks no change, so that not knowing whether it is must
 * not either, and a region that doesn't answer would block those of another.
 * @param arn of the instance; without it there is nothing to ask for
 */
export async function copiesOf(
  context: RdsContext,
  arn: string | null,
  resourceId: string | null,
): Promise<CopyEvidence[]> {
  if (arn === null) return [];
  const account = part(arn, 'account');
  const places = placesOf(context);
  const own = places.filter(place => place.account === null || place.account === account);
  const regions = new Map(
    [...new Set(own.map(({ region }) => region))].map(region => [
      region,
      recoveryPoints(context, region, arn),
    ]),
  );
  return Promise.all([
    ...places.map(place =>
      own.includes(place)
        ? known(place.name, async () => pointsOf(place, own, list(await regions.get(place.region))))
        : foreign(place),
    ),
    ...replications(context, resourceId),
  ]);
}

/** `arn:<partition>:<service>:<region>:<account>:<type>:<name>` */
const positions = { region: 3, account: 4, name: 6 } as const;
const part = (arn: string, which: keyof typeof positions): string => text(arn.split(':')[positions[which]]);

function placesOf({ environment, settings }: RdsContext): Place[] {
  if (!keepsVault(environment, settings)) return [];
  const made = (region: string) => ({
    name: `recovery points in ${region}`,
    region,
    account: null,
    vault: null,
  });
  return [
    made(settings.region),
    ...settings.vault.copies.map(copy => {
      if (copy.to === 'region') return made(copy.region);
      const [region, account, vault] = [
        part(copy.vault, 'region'),
        part(copy.vault, 'account'),
        part(copy.vault, 'name'),
      ];
      return { name: `recovery points in vault ${vault} of ${account} in ${region}`, region, account, vault };
    }),
  ];
}

/** All that AWS Backup keeps of the instance in a region, whichever vaults they are in. */
async function recoveryPoints(
  { clock }: RdsContext,
  region: string,
  arn: string,
): Promise<RecoveryPointByResource[]> {
  const { backup: client } = openClients(region, clock, patience);
  const found: RecoveryPointByResource[] = [];
  try {
    // Without the restriction it lists snapshots that AWS Backup has nothing to do with.
    for await (const page of paginateListRecoveryPointsByResource(
      { client, pageSize: 1000 },
      { ResourceArn: arn, ManagedByAWSBackupOnly: true },
    ))
      found.push(...list(page.RecoveryPoints));
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
  return found;
}

/** Those of one place. The vault that was made for the cluster is the one that isn't named. */
function pointsOf(
  { name, vault, region }: Place,
  own: readonly Place[],
  points: readonly RecoveryPointByResource[],
): KnownCopies {
  const named = own.flatMap(place => (place.region === region ? [place.vault] : []));
  const usable = points.filter(
    ({ Status, BackupVaultName: of }) =>
      // One that isn't COMPLETED is being made or deleted, or is a continuous one, which doesn't say how far it reaches.
      Status === 'COMPLETED' && (vault === null ? !named.includes(text(of)) : of === vault),
  );
  const moments = usable.map(({ CreationDate }) => text(CreationDate?.toISOString())).sort();
  return {
    state: 'known',
    place: name,
    count: usable.length,
    oldestAt: optional(moments[0]),
    newestAt: optional(moments.at(-1)),
    encrypted: usable.every(({ EncryptionKeyArn }) => EncryptionKeyArn !== undefined),
  };
}

/** Automated backups in the other region; RDS says of them which region they are from. */
function replications(context: RdsContext, resourceId: string | null): Promise<CopyEvidence>[] {
  const { settings, clock } = context;
  if (settings.replication === undefined) return [];
  const { region } = settings.replication;
  const place = `automated backups in ${region}`;
  return [
    known(place, async () => {
      const { rds } = openClients(region, clock, patience);
      const replicated = await automatedBackup({ rds, settings }, resourceId);
      const range = restorableRange(null, replicated);
      return {
        state: 'known',
        place,
        count: null,
        oldestAt: optional(range?.from),
        newestAt: optional(range?.until),
        encrypted: replicated?.Encrypted === true,
      };
    }),
  ];
}

async function known(place: string, ask: () => Promise<KnownCopies>): Promise<CopyEvidence> {
  try {
    return await ask();
  } catch (error) {
    return unknown('unknown', place, problemOf(`asking for ${place}`, error));
  }
}

function foreign({ name, account }: Place): CopyEvidence {
  return unknown('foreign', name, {
    what: `only the account ${String(account)} can be asked for them`,
    remedy: 'Ask there, with credentials of its own.',
  });
}

const unknown = (
  state: 'unknown' | 'foreign',
  place: string,
  { what: reason, remedy }: Problem,
): CopyEvidence => ({ state, place, reason, remedy });
