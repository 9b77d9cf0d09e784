import { DeleteDBInstanceCommand, type DBInstance } from '@aws-sdk/client-rds';
import { text } from '../answers';
import { HoldfastError } from '../../../core/errors';
import type { Instant } from '../../../core/evidence';
import { milliseconds, secondsBetween } from '../../../core/time';
import type { Clone, CloneMeasurement } from '../../engine';
import type { RdsContext } from '../context';
import { failed, isNotFound, isWrongState } from '../failure';
import { findInstance, judgeStatus, listInstances } from '../instance';
import { readJournal } from '../replace/journal';
import { decodeText, keys, tagsOf, type StoredTags } from '../tags';

/** Whether an instance is a clone of this cluster: by what Holdfast wrote on it, and never the one that serves. */
function isClone({ cluster, settings }: RdsContext, instance: DBInstance): boolean {
  return (
    instance.DBInstanceIdentifier !== settings.instance && tagsOf(instance.TagList)[keys.cloneOf] === cluster
  );
}

/** The instances that are clones of this cluster, and aren't being deleted. */
export async function cloneInstances(context: RdsContext): Promise<DBInstance[]> {
  return (await listInstances(context)).filter(
    instance => isClone(context, instance) && instance.DBInstanceStatus !== 'deleting',
  );
}

/** All clones of a cluster, oldest first; those that are being made, or were given up in between, are `incomplete`. */
export async function clones(context: RdsContext): Promise<readonly Clone[]> {
  const found = (await cloneInstances(context)).map(instance => describeClone(context, instance));
  return found.sort((one, other) => milliseconds(one.createdAt) - milliseconds(other.createdAt));
}

const purposes: readonly Clone['purpose'][] = ['clone', 'verification', 'restore'];
const gibibyte = 1024 ** 3;

export function describeClone({ clock }: RdsContext, instance: DBInstance): Clone {
  const tags = tagsOf(instance.TagList);
  const createdAt = moment(tags[keys.begun]) ?? clock.now();
  const restoreSeconds = Number(tags[keys.ready] ?? NaN);
  const { serves } = judgeStatus(text(instance.DBInstanceStatus));
  const { Address, Port } = instance.Endpoint ?? {};
  return {
    id: text(instance.DBInstanceIdentifier),
    purpose: purposes.find(purpose => purpose === tags[keys.purpose]) ?? 'clone',
    createdAt,
    expiresAt: moment(tags[keys.expires]) ?? createdAt,
    state: Number.isNaN(restoreSeconds) ? 'incomplete' : serves ? 'running' : 'stopped',
    sizeBytes: (instance.AllocatedStorage ?? 0) * gibibyte,
    connect:
      Address === undefined || Port === undefined
        ? []
        : ['-h', Address, '-p', String(Port), '-U', String(instance.MasterUsername), 'postgres'],
    measured: Number.isNaN(restoreSeconds) ? null : measurementOf(tags, restoreSeconds),
  };
}

/** What the tags of a clone that is done say of how it was made. */
export function measurementOf(tags: StoredTags, restoreSeconds: number): CloneMeasurement {
  return {
    restoreSeconds,
    replayBytesPerSecond: null,
    backupSet: decodeText(tags[keys.snapshot] ?? 'point-in-time recovery'),
    reached: moment(tags[keys.reached]),
  };
}

function moment(value: string | undefined): Instant | null {
  const at = milliseconds(text(value));
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/**
 * Deletes a clone and its automated backups. It never deletes what isn't tagged as a clone of this very cluster.
 * @throws HoldfastError `configuration` when there is no such clone; `busy` while it may be being made, or takes the place of
 * the original.
 */
export async function dropClone(context: RdsContext, id: string): Promise<void> {
  const instance = await findInstance(context, id);
  if (instance === null || !isClone(context, instance))
    throw new HoldfastError('configuration', `cluster ${context.cluster} has no clone ${id}`, {
      hint:
        instance === null
          ? `See \`holdfast clones ${context.cluster}\`.`
          : 'There is an instance of this name, but nothing on it says that it is a clone: it is not touched.',
    });
  if ((await readJournal(context))?.swap?.clone === instance.DbiResourceId)
    throw new HoldfastError('busy', `clone ${id} is taking the place of ${context.cluster}`, {
      hint: 'When no restore is running, one was interrupted: `holdfast run-due` finishes or undoes it.',
    });
  const { state, createdAt } = describeClone(context, instance);
  const age = secondsBetween(createdAt, context.clock.now());
  if (state === 'incomplete' && age < context.settings.waitUpTo)
    throw new HoldfastError('busy', `clone ${id} is being made`, {
      hint: 'Interrupt the command that makes it. What is still incomplete after `waitUpTo` counts as given up.',
    });
  await deleteClone(context, id);
}

/** Deletes the instance of a clone; one that is gone, or going, is as good. */
export async function deleteClone({ rds }: Pick<RdsContext, 'rds'>, id: string): Promise<void> {
  try {
    await rds.send(
      new DeleteDBInstanceCommand({
        DBInstanceIdentifier: id,
        SkipFinalSnapshot: true,
        DeleteAutomatedBackups: true,
      }),
    );
  } catch (error) {
    if (!isNotFound(error) && !isWrongState(error)) throw failed(`deleting the clone ${id}`, error);
  }
}
