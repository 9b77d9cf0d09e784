import type { DBInstance } from '@aws-sdk/client-rds';
import { HoldfastError } from '../../core/errors';
import type { RdsContext } from './context';
import { findInstance } from './instance';
import { readRecord, type ClusterRecord } from './record';

export interface Serving {
  readonly record: ClusterRecord;
  readonly instance: DBInstance;
}

/**
 * The instance that serves now, and the record that it is the cluster's.
 * @throws HoldfastError `refused` when it is another one, or nothing is recorded; `engine-failed` when there is none.
 */
export async function servingInstance(context: RdsContext): Promise<Serving> {
  const { cluster, settings } = context;
  const [record, instance] = await Promise.all([
    readRecord(context),
    findInstance(context, settings.instance),
  ]);
  if (record === null)
    throw new HoldfastError('refused', `nothing is recorded of cluster ${cluster} yet`, {
      hint: 'Run `pulumi up`: it records which instance is the cluster’s.',
    });
  if (instance === null)
    throw new HoldfastError(
      'engine-failed',
      `there is no instance ${settings.instance} in ${settings.region}`,
      {
        hint: `\`holdfast status ${cluster}\` shows the snapshots that are left of it.`,
      },
    );
  if (record.identity === null || record.identity === instance.DbiResourceId) return { record, instance };
  throw new HoldfastError(
    'refused',
    `the instance ${settings.instance} is ${String(instance.DbiResourceId)}, but ${record.identity} is recorded as cluster ${cluster}`,
    { hint: 'Another instance has its name. Nothing is done until the right one is back.' },
  );
}
