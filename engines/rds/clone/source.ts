import type { DBInstance, DBSnapshot } from '@aws-sdk/client-rds';
import { optional } from '../answers';
import { HoldfastError } from '../../../core/errors';
import type { Instant } from '../../../core/evidence';
import { checkWithin } from '../../../core/recovery-target';
import { after, milliseconds } from '../../../core/time';
import type { CloneRequest } from '../../engine';
import { automatedBackup, restorableRange } from '../automated';
import type { RdsContext } from '../context';
import { restorePoints, usualLagSeconds } from '../restore-point';
import type { Serving } from '../serving';
import { listSnapshots, ownerOf, takenAt, toBackupSet } from '../snapshots';

/** What a clone is restored from. */
export type Source =
  | { readonly from: 'snapshot'; readonly snapshot: string; readonly reached: Instant | null }
  | { readonly from: 'latest'; readonly reached: Instant | null }
  | { readonly from: 'time'; readonly at: Date; readonly reached: Instant };

/**
 * Which snapshot or moment AWS is asked for. From which snapshot it recovers to a moment is its own choice.
 * @throws HoldfastError `configuration` when the moment is out of range, saying the range; `busy` when point-in-time recovery
 * doesn't reach a restore point yet; `check-failed` when a snapshot can't be restored from.
 */
export async function sourceOf(
  context: RdsContext,
  serving: Serving,
  { target }: CloneRequest,
): Promise<Source> {
  const { instance } = serving;
  switch (target.type) {
    case 'backup-set': {
      const snapshot = await usableSnapshot(context, serving, target.id);
      return { from: 'snapshot', snapshot: target.id, reached: takenAt(snapshot) };
    }
    case 'latest':
      return { from: 'latest', reached: optional(instance.LatestRestorableTime?.toISOString()) };
    case 'time':
      return atTime(context, instance, target.at);
    case 'restore-point': {
      const known = await restorePoints(context);
      const point = known.findLast(({ name }) => name === target.name);
      if (point !== undefined) return atPoint(context, instance, point);
      const newest = known.slice(-5).map(({ name, at }) => `${name} (${at})`);
      throw new HoldfastError(
        'configuration',
        `cluster ${context.cluster} has no restore point ${target.name}`,
        {
          hint:
            newest.length === 0
              ? 'None is known. A moment can be named instead: --at TIME.'
              : `The newest are ${newest.join(', ')}.`,
        },
      );
    }
  }
}

async function atPoint(
  context: RdsContext,
  instance: DBInstance,
  { name, at, pending }: { readonly name: string; readonly at: Instant; readonly pending?: string },
): Promise<Source> {
  if (pending === undefined) return atTime(context, instance, at);
  throw new HoldfastError('busy', `restore point ${name} can’t be gone back to yet: ${pending}`, {
    hint: `Try again after ${after(at, usualLagSeconds)}.`,
  });
}

/** To the full second before: what is to be undone may have happened in the rest of it. */
async function atTime(context: RdsContext, instance: DBInstance, at: Instant): Promise<Source> {
  const automated = await automatedBackup(context, optional(instance.DbiResourceId));
  checkWithin({ type: 'time', at }, restorableRange(instance, automated));
  const second = new Date(Math.floor(milliseconds(at) / 1000) * 1000);
  return { from: 'time', at: second, reached: second.toISOString() };
}

async function usableSnapshot(context: RdsContext, serving: Serving, id: string): Promise<DBSnapshot> {
  const snapshots = await listSnapshots(context, ownerOf(context, serving.record));
  const snapshot = snapshots.find(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier === id);
  const encrypted = optional(serving.instance.StorageEncrypted);
  const unusable =
    snapshot === undefined ? 'there is none' : toBackupSet(snapshot, encrypted, context.clock.now()).unusable;
  if (snapshot !== undefined && unusable === null) return snapshot;
  throw new HoldfastError(
    'check-failed',
    `the snapshot ${id} of ${context.cluster} can’t be restored: ${String(unusable)}`,
    { hint: '`holdfast status` lists the snapshots.' },
  );
}
