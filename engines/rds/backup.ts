import { createHash } from 'node:crypto';
import {
  AddTagsToResourceCommand,
  CreateDBSnapshotCommand,
  DescribeAccountAttributesCommand,
  DescribeDBSnapshotsCommand,
  type DBInstance,
  type DBSnapshot,
} from '@aws-sdk/client-rds';
import { list, text } from './answers';
import { asHoldfastError, HoldfastError } from '../../core/errors';
import type { BackupSet } from '../../core/evidence';
import { snapshotPrefix } from '../../core/rds/names';
import { after } from '../../core/time';
import type { Annotations, Operation, OperationState, Progress } from '../engine';
import type { RdsContext } from './context';
import { alreadyExists, failed, isWrongState } from './failure';
import { operation } from './operation';
import { deleteSnapshot, expiredSnapshots } from './prune';
import { servingInstance, type Serving } from './serving';
import { listSnapshots, ownerOf, toBackupSet } from './snapshots';
import { encodeAnnotations, keys, tagsOf, toTagList, type StoredTags } from './tags';

interface Begun {
  readonly id: string;
  readonly encrypted: boolean;
}

/**
 * Takes a manual snapshot. Whatever kind is asked for, RDS stores only what changed, and restores each snapshot by itself. One
 * that is being taken already, by whomever, is joined: RDS takes one at a time. It can't be cancelled.
 */
export function backup(context: RdsContext, annotations: Annotations): Operation<BackupSet> {
  return operation<Begun, BackupSet>(context, {
    what: `the snapshot of ${context.cluster}`,
    begin: report => begin(context, annotations, report),
    look: begun => look(context, begun, encodeAnnotations(annotations)),
  });
}

async function begin(
  context: RdsContext,
  annotations: Annotations,
  report: (progress: Progress) => void,
): Promise<Begun> {
  const serving = await servingInstance(context);
  const encrypted = serving.instance.StorageEncrypted === true;
  const snapshots = await listSnapshots(context, ownerOf(context, serving.record));
  const running = beingTaken(serving, snapshots);
  if (running !== undefined) {
    report({ fraction: null, step: `joining ${running}, which is being taken already` });
    return { id: running, encrypted };
  }
  await prune(context, snapshots, encrypted, report);
  await assertQuota(context);
  return { id: await create(context, serving, annotations), encrypted };
}

/** Of this very instance: one that a restore replaced may be backed up by somebody too. */
function beingTaken({ instance }: Serving, snapshots: readonly DBSnapshot[]): string | undefined {
  return snapshots.find(
    ({ Status, DbiResourceId }) => Status === 'creating' && DbiResourceId === instance.DbiResourceId,
  )?.DBSnapshotIdentifier;
}

/** What can't be deleted holds no backup up. */
async function prune(
  context: RdsContext,
  snapshots: readonly DBSnapshot[],
  encrypted: boolean,
  report: (progress: Progress) => void,
): Promise<void> {
  for (const { DBSnapshotIdentifier } of expiredSnapshots(
    context.cluster,
    snapshots,
    encrypted,
    context.clock.now(),
  )) {
    const id = text(DBSnapshotIdentifier);
    try {
      await deleteSnapshot(context, id);
      report({ fraction: null, step: `deleted the expired snapshot ${id}` });
    } catch (error) {
      report({ fraction: null, step: asHoldfastError(error).message });
    }
  }
}

async function assertQuota({ rds, settings }: RdsContext): Promise<void> {
  const { AccountQuotas: quotas } = await rds
    .send(new DescribeAccountAttributesCommand({}))
    .catch((error: unknown) => {
      throw failed('asking for the quota of snapshots', error);
    });
  const { Used: used = 0, Max: most = Infinity } =
    list(quotas).find(({ AccountQuotaName }) => AccountQuotaName === 'ManualSnapshots') ?? {};
  if (used < most) return;
  throw new HoldfastError(
    'engine-failed',
    `the account has ${used} manual snapshots in ${settings.region}, and may have ${most}: there is no room for another`,
    {
      hint: 'Delete snapshots that nobody needs, or have the quota raised (Service Quotas, RDS, manual DB snapshots).',
    },
  );
}

/** The name says the minute and what for: the same begun twice within a minute is one. */
function snapshotName(context: RdsContext, instance: DBInstance, annotations: Annotations): string {
  const minute = context.clock.now().replaceAll(/\D/g, '').slice(0, 12);
  const what = createHash('sha256')
    .update(JSON.stringify([instance.DbiResourceId, encodeAnnotations(annotations)]))
    .digest('hex');
  return `${snapshotPrefix(context.cluster)}${minute}-${what.slice(0, 8)}`;
}

async function create(context: RdsContext, serving: Serving, annotations: Annotations): Promise<string> {
  const { rds, settings, clock, cluster } = context;
  const { keepFor, keepForChange } = settings.snapshots;
  const id = snapshotName(context, serving.instance, annotations);
  try {
    await rds.send(
      new CreateDBSnapshotCommand({
        DBSnapshotIdentifier: id,
        DBInstanceIdentifier: settings.instance,
        Tags: toTagList({
          [keys.cluster]: cluster,
          ...encodeAnnotations(annotations),
          [keys.expires]: after(clock.now(), annotations.changeId === undefined ? keepFor : keepForChange),
        }),
      }),
    );
    return id;
  } catch (error) {
    if (alreadyExists(error)) return id;
    if (!isWrongState(error)) throw failed(`beginning the snapshot ${id}`, error);
    // Somebody else was faster, and RDS takes one at a time.
    const running = beingTaken(serving, await listSnapshots(context, ownerOf(context, serving.record)));
    if (running !== undefined) return running;
    throw new HoldfastError(
      'busy',
      `${settings.instance} can’t be backed up now: ${(error as Error).message}`,
      {
        cause: error,
        hint: 'Wait until it is available again.',
      },
    );
  }
}

async function look(
  { rds, clock }: RdsContext,
  { id, encrypted }: Begun,
  annotations: StoredTags,
): Promise<OperationState<BackupSet>> {
  const { DBSnapshots: found } = await rds
    .send(new DescribeDBSnapshotsCommand({ DBSnapshotIdentifier: id }))
    .catch((error: unknown) => {
      throw failed(`looking at the snapshot ${id}`, error);
    });
  const [snapshot = {}] = list(found);
  if (snapshot.Status === 'creating') {
    const percent = snapshot.PercentProgress ?? 0;
    return { state: 'running', progress: { fraction: percent / 100, step: `taking the snapshot ${id}` } };
  }
  const tags = { ...tagsOf(snapshot.TagList), ...annotations };
  const set = toBackupSet({ ...snapshot, TagList: toTagList(tags) }, encrypted, clock.now());
  if (set.unusable !== null)
    throw new HoldfastError('engine-failed', `the snapshot ${id} can’t be restored from: ${set.unusable}`, {
      hint: 'The events of the instance in the console of RDS tell why. Take another one.',
    });
  await annotate({ rds }, snapshot, annotations);
  return { state: 'done', result: set };
}

/** One that was joined doesn't say yet what it is for. It stays its maker's: it gets no expiry. */
async function annotate(
  { rds }: Pick<RdsContext, 'rds'>,
  snapshot: DBSnapshot,
  annotations: StoredTags,
): Promise<void> {
  const tags = tagsOf(snapshot.TagList);
  const missing = Object.entries(annotations).filter(([key, value]) => tags[key] !== value);
  if (missing.length === 0) return;
  await rds
    .send(
      new AddTagsToResourceCommand({
        ResourceName: snapshot.DBSnapshotArn,
        Tags: toTagList(Object.fromEntries(missing)),
      }),
    )
    .catch((error: unknown) => {
      throw failed(`tagging the snapshot ${String(snapshot.DBSnapshotIdentifier)}`, error);
    });
}
