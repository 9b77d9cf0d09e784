import fs from 'node:fs';
import { HoldfastError } from '../core/errors';
import type { BackupSet, Evidence } from '../core/evidence';
import type { HostSpecification } from '../core/specification';
import type { Watch } from '../engines/engine';
import { audited } from './audit';
import { holder } from './backup';
import { clusterDirectory, openSpecified } from './context';

export interface EraseRequest {
  readonly specification: HostSpecification;
  /** The final backup set: what is left of the cluster afterwards. */
  readonly backupSet: string;
  /** `data` leaves what names the cluster and its timer, so that the timer, which may be root's, can be removed before `all`. */
  readonly what: 'data' | 'all';
}

/**
 * Erases a cluster of production, its backups and WAL excepted, for a person who said so in as many words (`holdfast down`). A
 * cluster that still has data is only erased when `backupSet` proves to be its newest backup, a full one that was verified.
 * Interrupted, the same call goes on.
 * @throws HoldfastError `refused` when it doesn't; then nothing was touched.
 */
export async function eraseCluster(home: string, request: EraseRequest, watch: Watch): Promise<void> {
  const { specification, backupSet, what } = request;
  const { name, engine } = await openSpecified(home, specification);
  const directory = clusterDirectory(home, name);
  // Gone already; its directory would be made anew for the lock.
  if (!fs.existsSync(directory)) return;
  const { erase } = await import('../engines/host/provision/remove');
  // The timer is still there: what it starts finds nothing to do until all is over.
  const eraseLocked = () =>
    engine.withLock('schedule', holder('down'), async () => {
      const evidence = await engine.evidence();
      if (evidence.identity.found !== null) assertFinal(evidence, backupSet);
      await erase(specification, {
        home,
        keepRepository: true,
        keepNotes: what === 'data',
        report: step => watch.report({ fraction: null, step }),
      });
    });
  // The audit log is part of all.
  if (what === 'all') return eraseLocked();
  const note = { what: 'erase', cluster: name };
  return audited(engine.memory, note, watch.signal, eraseLocked, () => `backup set ${backupSet} is kept`);
}

/** @throws HoldfastError `refused` unless the set is all that is needed to have the cluster back. */
export function assertFinal(evidence: Evidence, backupSet: string): void {
  const newest = evidence.backups.at(-1);
  const { found, backedUp } = evidence.identity;
  const objection =
    newest?.id === backupSet ? objectionTo(newest) : `the newest backup set is ${newest?.id ?? 'none'}`;
  if (objection === null && found === backedUp) return;
  throw new HoldfastError(
    'refused',
    `cluster ${evidence.cluster} is not erased: backup set ${backupSet} is no proof that it can be restored: ${objection ?? `it is of cluster ${backedUp ?? 'unknown'}, not of ${String(found)}`}`,
    { hint: `Nothing was touched. holdfast verify ${evidence.cluster} says what is wrong.` },
  );
}

function objectionTo({ kind, unusable, verification }: BackupSet): string | null {
  if (unusable !== null) return unusable;
  if (kind !== 'full') return `it is ${kind}, not full`;
  if (verification === null) return 'it was not verified';
  if (verification.result === 'passed') return null;
  return `its verification failed: ${verification.reason ?? 'the reason was not kept'}`;
}
