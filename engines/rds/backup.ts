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
import type { BackupSet, Instant } from '../../core/evidence';
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
 * @param begun when it was first asked for, which is part of its name: another process finds it again by that
 */
export function backup(context: RdsContext, annotations: Annotations, begun?: Instant): Operation<BackupSet> {
  return operation<Begun, BackupSet>(context, {
    what: `the snapshot of ${context.cluster}`,
    begin: report => begin(context, annotations, begun, report),
    look: begun => look(context, begun, encodeAnnotations(annotations)),
  });
}

async function begin(
  context: RdsContext,
  annotations: Annotations,
  begun: Instant | undefined,
  report: (progress: Progress) => void,
): Promise<Begun> {
  const serving = await servingInstance(context);
  const encrypted = serving.instance.StorageEncrypted === true;
  const id = snapshotName(context, serving.instance, annotations, begun ?? context.clock.now());
  const snapshots = await listSnapshots(context, ownerOf(context, serving.record));
  const earlier = begunBefore(id, snapshots);
  if (earlier !== undefined) return { id: earlier, encrypted };
  const running = beingTaken(serving, snapshots);
  if (running !== undefined) {
    report({
      fraction: null,
      step: `joining ${text(running.DBSnapshotIdentifier)}, which is being taken already`,
    });
    return { id: await join(context, running, id), encrypted };
  }
  await prune(context, snapshots, encrypted, report);
  await assertQuota(context);
  return { id: await create(context, serving, annotations, id), encrypted };
}

/** The snapshot of this name, or the one that was joined in its place. */
function begunBefore(id: string, snapshots: readonly DBSnapshot[]): string | undefined {
  return snapshots.find(
    ({ DBSnapshotIdentifier, TagList }) => DBSnapshotIdentifier === id || tagsOf(TagList)[keys.joined] === id,
  )?.DBSnapshotIdentifier;
}

/** Says on it which one it stands for, so that it is found again. */
async function join(context: RdsContext, snapshot: DBSnapshot, id: string): Promise<string> {
  await annotate(context, snapshot, { [keys.joined]: id });
  return text(snapshot.DBSnapshotIdentifier);
}

/** Of this very instance: one that a restore replaced may be backed up by somebody too. */
function beingTaken({ instance }: Serving, snapshots: readonly DBSnapshot[]): DBSnapshot | undefined {
  return snapshots.find(
    ({ Status, DbiResourceId }) => Status === 'creating' && DbiResourceId === instance.DbiResourceId,
  );
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

/** The name says the minute and for which change: the same begun twice within a minute is one. */
function snapshotName(
  { cluster }: RdsContext,
  { DbiResourceId }: DBInstance,
  { changeId }: Annotations,
  begun: Instant,
): string {
  const minute = begun.replaceAll(/\D/g, '').slice(0, 12);
  const what = createHash('sha256')
    .update(JSON.stringify([DbiResourceId, changeId ?? null]))
    .digest('hex');
  return `${snapshotPrefix(cluster)}${minute}-${what.slice(0, 8)}`;
}

async function create(
  context: RdsContext,
  serving: Serving,
  annotations: Annotations,
  id: string,
): Promise<string> {
  const { rds, settings, clock, cluster } = context;
  const { keepFor, keepForChange } = settings.snapshots;
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
    if (running !== undefined) return join(context, running, id);
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
