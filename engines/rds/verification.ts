import { AddTagsToResourceCommand, type DBSnapshot } from '@aws-sdk/client-rds';
import { text } from './answers';
import { HoldfastError } from '../../core/errors';
import type { Verification } from '../../core/evidence';
import { milliseconds } from '../../core/time';
import type { RdsContext } from './context';
import { failed } from './failure';
import { listParameters } from './parameters';
import { readRecord } from './record';
import { listSnapshots, ownerOf } from './snapshots';
import { decodeVerification, encodeVerification, keys, tagsOf, toTagList } from './tags';
import { deleteText, digestOf, readText, writeText } from './texts';

type Counts = Readonly<Record<string, number>>;

/** Where counts are kept: a tag has room for their digest only. */
const countsPath = 'counts';

/**
 * Keeps a verification on its snapshot. Its counts are kept first, under their digest, so that a snapshot never refers to some
 * that aren't there; those of older verifications are removed last.
 * @throws HoldfastError `engine-failed` when the snapshot is gone, or the tags did not arrive.
 */
export async function recordVerification(
  context: RdsContext,
  id: string,
  verification: Verification,
  counts: Counts,
): Promise<void> {
  const snapshot = await snapshotOf(context, id);
  const passed = verification.result === 'passed';
  const text = JSON.stringify(counts);
  const digest = passed ? digestOf(text) : '';
  if (passed) await writeText(context, `${countsPath}/${digest}`, text);
  await context.rds
    .send(
      new AddTagsToResourceCommand({
        ResourceName: snapshot.DBSnapshotArn,
        Tags: toTagList(encodeVerification(verification, digest)),
      }),
    )
    .catch((error: unknown) => {
      throw failed(`tagging the snapshot ${id}`, error);
    });
  const kept = decodeVerification(tagsOf((await snapshotOf(context, id)).TagList));
  if (kept?.at !== verification.at || kept.result !== verification.result)
    throw new HoldfastError('engine-failed', `the verification of ${id} could not be kept on it`, {
      hint: 'Does something else change the tags of snapshots? Verify again.',
    });
  if (!passed) return;
  for (const { name } of await listParameters(context, countsPath))
    if (name !== digest) await deleteText(context, `${countsPath}/${name}`);
}

/** Row counts of the newest passed verification; null when there are none, or they aren't those that were kept. */
export async function lastCounts(context: RdsContext): Promise<Counts | null> {
  const passed = (await ownSnapshots(context)).flatMap(({ TagList }) => {
    const tags = tagsOf(TagList);
    const verification = decodeVerification(tags);
    return verification?.result === 'passed'
      ? [{ at: verification.at, digest: text(tags[keys.counts]) }]
      : [];
  });
  passed.sort((one, other) => milliseconds(one.at) - milliseconds(other.at));
  const digest = text(passed.at(-1)?.digest);
  if (digest === '') return null;
  const kept = await readText(context, `${countsPath}/${digest}`);
  return kept === null || digestOf(kept) !== digest ? null : (JSON.parse(kept) as Counts);
}

async function ownSnapshots(context: RdsContext): Promise<DBSnapshot[]> {
  return listSnapshots(context, ownerOf(context, await readRecord(context)));
}

async function snapshotOf(context: RdsContext, id: string): Promise<DBSnapshot> {
  const found = (await ownSnapshots(context)).find(({ DBSnapshotIdentifier }) => DBSnapshotIdentifier === id);
  if (found !== undefined) return found;
  throw new HoldfastError('engine-failed', `cluster ${context.cluster} has no snapshot ${id}`, {
    hint: 'It may have expired while it was verified. Verify again.',
  });
}
