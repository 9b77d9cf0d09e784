import * as z from 'zod';
import { HoldfastError } from '../../core/errors';
import { environment } from '../../core/settings/stack';
import { name } from '../../core/settings/values';
import { readIfThere, writeAtomically } from './files';
import { whenUnlocked } from './lock';
import type { ClusterPaths } from './layout';

const systemIdentifier = z.string().regex(/^\d{1,20}$/);

const record = z.strictObject({
  schema: z.literal(1),
  cluster: name,
  environment,
  mode: z.enum(['managed', 'existing']),
  phase: z.enum(['provisioning', 'adopting', 'established']),
  /** Of the data directory; null until it is initialised. Once it is here, no other is ever accepted or created. */
  systemIdentifier: systemIdentifier.nullable(),
  dataDirectory: z.string().min(1),
  /** Major version. */
  pgVersion: z.number().int(),
  /** Where it listens now; null until that is chosen. */
  port: z.number().int().min(1).max(65_535).nullable(),
  /** Of the last completed apply; 0 before the first. */
  revision: z.number().int().min(0),
  createdAt: z.iso.datetime(),
  /** When an apply was last completed; null before the first. */
  appliedAt: z.iso.datetime().nullable(),
  /** When the first verified backup ended provision or adoption. */
  establishedAt: z.iso.datetime().nullable(),
  /** An adopted cluster's archiving as it was before. */
  archivingBefore: z
    .strictObject({ archive_mode: z.string(), archive_command: z.string(), archive_timeout: z.string() })
    .nullable(),
});

/** What is remembered of a cluster; entered before anything is created. */
export type ClusterRecord = Readonly<z.output<typeof record>>;

/**
 * The record of a cluster; null when there is none.
 * @throws HoldfastError `engine-failed` when it can't be read or understood: what isn't known is not "new".
 */
export async function readRecord(paths: Pick<ClusterPaths, 'record'>): Promise<ClusterRecord | null> {
  try {
    const text = await readIfThere(paths.record);
    return text === null ? null : record.parse(JSON.parse(text));
  } catch (error) {
    throw new HoldfastError('engine-failed', `${paths.record} can't be read or understood`, {
      hint: 'It says which cluster this is. Bring it back from a copy; is the disk mounted, and are you the cluster’s owner?',
      cause: error,
    });
  }
}

/** Writes the record as a whole, on the disk before it returns. */
export async function writeRecord(
  paths: Pick<ClusterPaths, 'record'>,
  value: ClusterRecord,
): Promise<ClusterRecord> {
  await writeAtomically(paths.record, `${JSON.stringify(record.parse(value), null, 2)}\n`);
  return value;
}

/**
 * Changes some of the record; two jobs that do so at once don't lose each other's changes.
 * @throws HoldfastError `engine-failed` when there is none.
 */
export async function updateRecord(
  paths: Pick<ClusterPaths, 'record' | 'lock'>,
  changes: Partial<ClusterRecord>,
): Promise<ClusterRecord> {
  // No lock is made for a cluster that is gone: it would look as if there still were one.
  await recordThere(paths);
  return whenUnlocked(paths.lock, 'record', async () =>
    writeRecord(paths, { ...(await recordThere(paths)), ...changes }),
  );
}

async function recordThere(paths: Pick<ClusterPaths, 'record'>): Promise<ClusterRecord> {
  const current = await readRecord(paths);
  if (current !== null) return current;
  throw new HoldfastError('engine-failed', `${paths.record} is gone`, {
    hint: 'Run `pulumi up`, which writes it.',
  });
}
