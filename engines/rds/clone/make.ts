import { createHash } from 'node:crypto';
import {
  AddTagsToResourceCommand,
  RestoreDBInstanceFromDBSnapshotCommand,
  RestoreDBInstanceToPointInTimeCommand,
  type DBInstance,
} from '@aws-sdk/client-rds';
import { list, optional, text } from '../answers';
import { HoldfastError } from '../../../core/errors';
import type { Instant } from '../../../core/evidence';
import { besidePrefix } from '../../../core/rds/names';
import { secondsBetween } from '../../../core/time';
import type { CloneRequest, FinishedClone, Operation, OperationState } from '../../engine';
import type { RdsContext } from '../context';
import { alreadyExists, failed } from '../failure';
import { findInstance, judgeStatus } from '../instance';
import { operation } from '../operation';
import { readJournal } from '../replace/journal';
import { servingInstance, type Serving } from '../serving';
import { encodeText, keys, tagsOf, toTagList } from '../tags';
import { cloneInstances, deleteClone, describeClone, measurementOf } from './catalog';
import { sourceOf, type Source } from './source';

/**
 * Restores the cluster into a new instance beside the original, in the same network and never public: left to itself RDS
 * would take the default security group, subnets and parameters. It takes AWS minutes to hours; a crash or another process
 * finds it again by its tags. Given up by a person, it is deleted.
 */
export function clone(context: RdsContext, request: CloneRequest): Operation<FinishedClone> {
  return operation<string, FinishedClone>(context, {
    what: `the clone of ${context.cluster}`,
    begin: async report => {
      const serving = await servingInstance(context);
      const key = operationKey(serving.instance, request);
      const found = await begun(context, key, request);
      if (found === null) return create(context, serving, request, key);
      report({ fraction: null, step: `found ${found}, which was begun already` });
      return found;
    },
    look: id => look(context, id),
    cancel: id => deleteClone(context, id),
  });
}

/** What is the same when the same is asked for again. */
function operationKey({ DbiResourceId }: DBInstance, { target, purpose }: CloneRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([DbiResourceId, purpose, target]))
    .digest('hex')
    .slice(0, 16);
}

/**
 * A clone that was begun for the same. One that is done is it only where it is the same whenever it is made, and not somebody's
 * own: they may have written to it.
 */
async function begun(
  context: RdsContext,
  key: string,
  { target, purpose }: CloneRequest,
): Promise<string | null> {
  const mayBeDone = target.type !== 'latest' && purpose !== 'clone';
  const found = (await cloneInstances(context)).find(instance => {
    const tags = tagsOf(instance.TagList);
    return tags[keys.operation] === key && (mayBeDone || tags[keys.ready] === undefined);
  });
  return optional(found?.DBInstanceIdentifier);
}

async function create(
  context: RdsContext,
  serving: Serving,
  request: CloneRequest,
  key: string,
): Promise<string> {
  const { rds, settings } = context;
  const source = await sourceOf(context, serving, request);
  const begunAt = context.clock.now();
  const id = cloneName(settings.instance, begunAt, key);
  const inputs = {
    ...(await likeTheOriginal(context, serving.instance, request)),
    Tags: toTagList(tagsFor(context, request, source, key, begunAt)),
  };
  try {
    await (source.from === 'snapshot'
      ? rds.send(
          new RestoreDBInstanceFromDBSnapshotCommand({
            DBInstanceIdentifier: id,
            DBSnapshotIdentifier: source.snapshot,
            ...inputs,
          }),
        )
      : rds.send(
          new RestoreDBInstanceToPointInTimeCommand({
            SourceDBInstanceIdentifier: settings.instance,
            TargetDBInstanceIdentifier: id,
            ...(source.from === 'latest' ? { UseLatestRestorableTime: true } : { RestoreTime: source.at }),
            ...inputs,
          }),
        ));
  } catch (error) {
    // The SDK asks again when an answer is lost.
    if (!alreadyExists(error)) throw failed(`restoring ${id}`, error);
  }
  return id;
}

/** `shop-hf-20260102030405-9f3a21`: at most 63 characters, sorts by age. */
function cloneName(instance: string, at: Instant, key: string): string {
  return `${besidePrefix(instance, 'hf')}${at.replaceAll(/\D/g, '').slice(0, 14)}-${key.slice(0, 6)}`;
}

function tagsFor(
  { cluster }: RdsContext,
  { purpose, expiresAt }: CloneRequest,
  source: Source,
  key: string,
  begunAt: Instant,
): Record<string, string> {
  return {
    [keys.cloneOf]: cluster,
    [keys.purpose]: purpose,
    [keys.expires]: expiresAt,
    [keys.operation]: key,
    [keys.begun]: begunAt,
    ...(source.reached === null ? {} : { [keys.reached]: source.reached }),
    ...(source.from === 'snapshot' ? { [keys.snapshot]: encodeText(source.snapshot) } : {}),
  };
}

/** What RDS would otherwise choose by itself. Storage is as encrypted as what it is restored from; that can't be undone. */
async function likeTheOriginal(context: RdsContext, instance: DBInstance, { purpose }: CloneRequest) {
  const serves = purpose === 'restore';
  const halted = (await readJournal(context))?.securityGroups;
  const groups = list(instance.VpcSecurityGroups).map(group => String(group.VpcSecurityGroupId));
  const secret = instance.MasterUserSecret;
  return {
    DBInstanceClass: (serves ? undefined : context.settings.cloneClass) ?? instance.DBInstanceClass,
    DBSubnetGroupName: instance.DBSubnetGroup?.DBSubnetGroupName,
    VpcSecurityGroupIds: halted ?? groups,
    DBParameterGroupName: instance.DBParameterGroups?.[0]?.DBParameterGroupName,
    Port: instance.Endpoint?.Port,
    PubliclyAccessible: false,
    // Made so when it takes the original's place.
    MultiAZ: false,
    AutoMinorVersionUpgrade: false,
    CopyTagsToSnapshot: false,
    DeletionProtection: false,
    StorageType: instance.StorageType,
    EnableIAMDatabaseAuthentication: instance.IAMDatabaseAuthenticationEnabled === true,
    // A clone that nobody keeps isn't backed up; with a retention it would be before it is available.
    BackupRetentionPeriod: serves ? instance.BackupRetentionPeriod : 0,
    ...(secret === undefined
      ? {}
      : { ManageMasterUserPassword: true, MasterUserSecretKmsKeyId: secret.KmsKeyId }),
  };
}

async function look(context: RdsContext, id: string): Promise<OperationState<FinishedClone>> {
  const instance = await findInstance(context, id);
  if (instance === null)
    throw new HoldfastError('engine-failed', `the clone ${id} is gone`, {
      hint: 'Somebody dropped it. Try again.',
    });
  const status = instance.DBInstanceStatus ?? 'not known';
  const { trouble } = judgeStatus(status);
  if (trouble !== null)
    throw new HoldfastError('engine-failed', `the clone ${id} can’t be used: ${trouble}`, {
      hint: `Its events in the console of RDS tell why. Drop it: holdfast clone-drop ${context.cluster} ${id}.`,
    });
  if (status !== 'available')
    return { state: 'running', progress: { fraction: null, step: `restoring into ${id} (${status})` } };
  const restoreSeconds = await markReady(context, instance);
  const measured = measurementOf(tagsOf(instance.TagList), restoreSeconds);
  return { state: 'done', result: { ...describeClone(context, instance), state: 'running', measured } };
}

/** The time it took is measured when it is first found available: at most the time between two looks too long. */
async function markReady({ rds, clock }: RdsContext, instance: DBInstance): Promise<number> {
  const tags = tagsOf(instance.TagList);
  if (tags[keys.ready] !== undefined) return Number(tags[keys.ready]);
  const seconds = Math.max(0, Math.round(secondsBetween(text(tags[keys.begun]), clock.now())));
  const ready = toTagList({ [keys.ready]: String(seconds) });
  await rds
    .send(new AddTagsToResourceCommand({ ResourceName: instance.DBInstanceArn, Tags: ready }))
    .catch((error: unknown) => {
      throw failed(`tagging the clone ${String(instance.DBInstanceIdentifier)}`, error);
    });
  return seconds;
}
