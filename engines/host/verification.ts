import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../core/errors';
import type { Verification } from '../../core/evidence';
import type { HostContext } from './context';
import {
  annotationArguments,
  decodeCounts,
  decodeVerification,
  encodeVerification,
  withoutCounts,
  type StoredAnnotations,
} from './pgbackrest/annotations';
import { stanzaInfo } from './pgbackrest/stanza';

/** pgBackRest annotates under the backup lock: a verification that ends during a backup waits for it. */
const patienceSeconds = 1800;

/**
 * Keeps a verification on its backup set, and the counts with it; those of older verifications are removed.
 * @throws HoldfastError `engine-failed` when the set is gone or the annotations did not arrive; `busy` when a backup holds
 * the stanza for over half an hour.
 */
export async function recordVerification(
  context: HostContext,
  label: string,
  verification: Verification,
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  const stored = encodeVerification(verification, counts);
  const before = await stanzaInfo(context.pgbackrest);
  await annotate(context, label, stored);
  for (const set of before.sets)
    if (verification.result === 'passed' && set.label !== label && decodeCounts(set.annotations) !== null)
      await annotate(context, set.label, withoutCounts);
  const after = (await stanzaInfo(context.pgbackrest)).sets.find(set => set.label === label);
  const kept = after === undefined ? null : decodeVerification(after.annotations);
  if (kept?.at !== verification.at || kept.result !== verification.result)
    throw new HoldfastError('engine-failed', `the verification of ${label} could not be kept on it`, {
      hint: 'Is the repository writable, and the backup set still there? Verify again.',
    });
}

/** Row counts of the newest passed verification. */
export async function lastCounts(context: HostContext): Promise<Readonly<Record<string, number>> | null> {
  const { sets } = await stanzaInfo(context.pgbackrest);
  const passed = sets.flatMap(set => {
    const verification = decodeVerification(set.annotations);
    const counts = decodeCounts(set.annotations);
    return verification?.result === 'passed' && counts !== null ? [{ at: verification.at, counts }] : [];
  });
  passed.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
  return passed.at(-1)?.counts ?? null;
}

async function annotate(context: HostContext, label: string, stored: StoredAnnotations): Promise<void> {
  const deadline = Date.now() + patienceSeconds * 1000;
  for (;;) {
    try {
      await context.pgbackrest.run('annotate', [`--set=${label}`, ...annotationArguments(stored)]);
      return;
    } catch (error) {
      const isBusy = error instanceof HoldfastError && error.code === 'busy';
      if (!isBusy || Date.now() > deadline) throw error;
    }
    await sleep(500);
  }
}
