import { HoldfastError } from '../../core/errors';
import type { ClusterAccess, Inspection } from '../../core/host-documents';
import type { RdsClusterSettings } from '../../core/settings/stack';
import { text } from './answers';
import { applyCatalog, inspectCatalog, keepDatabases as keepCatalog, type Declared } from './catalog/catalog';
import type { RdsContext } from './context';
import { openContext, type RdsEngineOptions } from './engine';
import { findInstance, listInstances } from './instance';
import { beginsAs, pendingChanges, recordApplied } from './provision';
import { beginRecord, readRecord } from './record';
import { servingInstance } from './serving';
import { endpointOf } from './session';

/** A cluster on RDS with the databases that are declared in it. */
export interface DeclaredCluster extends RdsEngineOptions {
  readonly settings: RdsClusterSettings;
}

/** What `host apply` prints of an instance; contains secrets where its databases are managed. */
export interface AppliedInstance extends Partial<ClusterAccess> {
  readonly cluster: string;
  readonly endpoint: ClusterAccess['endpoint'];
  /** AWS's own name of the instance, which no other ever gets. */
  readonly resourceId: string;
  readonly revision: number;
}

/**
 * Enters first provision or adoption, before anything is created: from then on it is known that there is such a cluster.
 * Done before, it changes nothing.
 * @throws HoldfastError `refused` when it was recorded as production and is declared staging.
 */
export async function beginCluster(options: RdsEngineOptions): Promise<{ cluster: string; phase: string }> {
  const { phase } = await beginRecord(openContext(options), beginsAs(options.settings));
  return { cluster: options.cluster, phase };
}

/**
 * Records that the instance is what it shall be, and the first time which one it is. Where its databases are managed, makes
 * the role that does it, and the passwords.
 * @throws HoldfastError `refused` when another instance has its name; `engine-failed` when it has no endpoint, or PostgreSQL
 * doesn't answer.
 */
export async function applyInstance(options: DeclaredCluster, revision: number): Promise<AppliedInstance> {
  const context = openContext(options);
  const { instance } = await recordApplied(context, revision);
  return {
    cluster: options.cluster,
    endpoint: endpointOf(instance),
    resourceId: text(instance.DbiResourceId),
    revision,
    ...(await applyCatalog(context, instance, options.settings)),
  };
}

/**
 * Sees to what the provider can't in the declared databases.
 * @returns what was changed.
 */
export async function keepDatabases(options: DeclaredCluster): Promise<string[]> {
  const context = openContext(options);
  return keepCatalog(context, (await servingInstance(context)).instance, options.settings);
}

/**
 * How an instance differs from what it shall be, as far as Pulumi doesn't see that itself; changes nothing.
 * @param lastApplied what it was made; null before the first apply.
 * @throws HoldfastError when AWS or PostgreSQL can't be asked: then nothing is known, not "no difference".
 */
export async function inspectInstance(
  options: DeclaredCluster,
  lastApplied: Declared | null,
): Promise<Inspection> {
  const context = openContext(options);
  const [record, instance] = await Promise.all([
    readRecord(context),
    findInstance(context, options.settings.instance),
  ]);
  const provisioned = record !== null && record.appliedAt !== null;
  const declared = { now: options.settings, applied: provisioned ? lastApplied : null };
  return {
    cluster: options.cluster,
    provisioned,
    revision: record?.revision ?? 0,
    needsRestart: instance === null ? [] : pendingChanges(instance),
    restartAllowed: false,
    ...(await inspectCatalog(context, instance, declared)),
  };
}

/**
 * The production seal: passes only when there is no instance of the cluster any more, whatever it is called now.
 * @throws HoldfastError `refused` as long as there is one, or when that can't be known.
 */
export async function sealInstance(options: RdsEngineOptions): Promise<void> {
  const context = openContext(options);
  const found = await instancesOf(context).catch((cause: unknown) => {
    throw refusal(
      options.cluster,
      `it can’t be known whether it is gone: ${(cause as Error).message}`,
      cause,
    );
  });
  if (found.length > 0) throw refusal(options.cluster, `there is ${found.join(', ')}`);
}

async function instancesOf(context: RdsContext): Promise<string[]> {
  const [record, serving] = await Promise.all([
    readRecord(context),
    findInstance(context, context.settings.instance),
  ]);
  const known =
    record === null ? [] : [...record.lineage, ...(record.identity === null ? [] : [record.identity])];
  const others = known.length === 0 ? [] : await listInstances(context, known);
  return [
    ...new Set(
      [...(serving === null ? [] : [serving]), ...others].map(one => text(one.DBInstanceIdentifier)),
    ),
  ];
}

function refusal(cluster: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('refused', `production cluster ${cluster} is not deleted: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: 'Holdfast never deletes production. When it is really no longer needed: a final snapshot, then its deletion in the console of RDS; docs/aws.md says how.',
  });
}
