import * as z from 'zod';
import { HoldfastError } from '../../core/errors';
import { environment } from '../../core/settings/stack';
import { name } from '../../core/settings/values';
import type { RdsContext } from './context';
import { createParameter, parameterName, readParameter, writeParameter } from './parameters';

export const recordName = 'record';

/** AWS's own name of an instance, which no other instance ever gets again, whatever it is called. */
const resourceId = z.string().regex(/^db-[A-Z0-9]{1,64}$/);

const record = z.strictObject({
  schema: z.literal(1),
  cluster: name,
  environment,
  /** Identifier of the DB instance. */
  instance: z.string().min(1),
  phase: z.enum(['provisioning', 'adopting', 'established']),
  /** Resource id of the instance; null until it exists. Once it is here, no other is accepted, except by a restore. */
  identity: resourceId.nullable(),
  /** Resource ids that were the cluster's before restores swapped the instance, oldest first. */
  lineage: z.array(resourceId).max(50),
  /** Of the last completed apply; 0 before the first. */
  revision: z.number().int().min(0),
  createdAt: z.iso.datetime(),
  /** When an apply was last completed; null before the first. */
  appliedAt: z.iso.datetime().nullable(),
  /** When the first verified backup ended provision or adoption. */
  establishedAt: z.iso.datetime().nullable(),
});

/** What is remembered of a cluster; entered before anything is created. */
export type ClusterRecord = Readonly<z.output<typeof record>>;

/** @throws HoldfastError `engine-failed` when it isn't a record of this cluster: what isn't known is not "new". */
export function parseRecord(context: RdsContext, text: string | null): ClusterRecord | null {
  if (text === null) return null;
  const where = parameterName(context, recordName);
  let parsed: ClusterRecord;
  try {
    parsed = record.parse(JSON.parse(text));
  } catch (cause) {
    throw new HoldfastError('engine-failed', `the record in the parameter ${where} can’t be understood`, {
      hint: 'It says which instance this is. The history of the parameter has its earlier versions: put one back.',
      cause,
    });
  }
  if (parsed.cluster === context.cluster && parsed.instance === context.settings.instance) return parsed;
  throw new HoldfastError(
    'engine-failed',
    `the record in the parameter ${where} is of cluster ${parsed.cluster} on instance ${parsed.instance}, not of ${context.cluster} on ${context.settings.instance}`,
    { hint: 'Two stacks may use one name of a cluster in this account and region: rename one.' },
  );
}

/** The record of a cluster; null when there is none. */
export async function readRecord(context: RdsContext): Promise<ClusterRecord | null> {
  return parseRecord(context, await readParameter(context, recordName));
}

/**
 * Enters first provision or adoption, before anything is created. Where there is a record already, that one counts.
 * @throws HoldfastError `refused` when it was recorded as production and is declared staging.
 */
export async function beginRecord(
  context: RdsContext,
  phase: 'provisioning' | 'adopting',
): Promise<ClusterRecord> {
  const begun: ClusterRecord = {
    schema: 1,
    cluster: context.cluster,
    environment: context.environment,
    instance: context.settings.instance,
    phase,
    identity: null,
    lineage: [],
    revision: 0,
    createdAt: context.clock.now(),
    appliedAt: null,
    establishedAt: null,
  };
  const created = await createParameter(context, recordName, JSON.stringify(begun));
  const kept = created ? begun : await existing(context);
  if (kept.environment === 'staging' || context.environment === 'production') return kept;
  throw new HoldfastError(
    'refused',
    `cluster ${context.cluster} was provisioned as production, and is declared staging`,
    { hint: 'Declare it production again, or take another name for the staging cluster.' },
  );
}

async function existing(context: RdsContext): Promise<ClusterRecord> {
  const record = await readRecord(context);
  if (record !== null) return record;
  throw new HoldfastError('engine-failed', `${parameterName(context, recordName)} is gone`, {
    hint: 'Run `pulumi up`, which writes it.',
  });
}

/**
 * Changes some of the record, which is read and written as a whole: whoever changes the phase, the identity or the lineage
 * holds the cluster's lock.
 * @throws HoldfastError `engine-failed` when there is none.
 */
export async function updateRecord(
  context: RdsContext,
  changes: Partial<ClusterRecord>,
): Promise<ClusterRecord> {
  const changed = record.parse({ ...(await existing(context)), ...changes });
  await writeParameter(context, recordName, JSON.stringify(changed));
  return changed;
}
