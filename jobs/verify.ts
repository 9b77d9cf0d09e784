import { asHoldfastError, HoldfastError } from '../core/errors';
import type { BackupSet, Evidence, Verification } from '../core/evidence';
import { judge, limitsOf } from '../core/freshness';
import { after } from '../core/time';
import type { FinishedClone, Operation } from '../engines/engine';
import { audited } from './audit';
import { holder } from './backup';
import type { Cluster } from './cluster';
import type { Counts } from './counts';
import { paced, Unfinished, type Pace } from './pace';
import { check } from './verification/check';
import { forgetVerification, VerificationProgress } from './verification/progress';
import { isBusy } from './when-free';

/** Longer than any verification takes. What one that was killed leaves, the schedule drops at once. */
const cloneSeconds = 7 * 24 * 3600;

/** One that was begun so long ago is given up: its clone costs money, and its backup set isn't the newest any more. */
const mostSeconds = 3 * 24 * 3600;

export interface VerifyResult {
  readonly backupSet: string;
  readonly verification: Verification;
  readonly counts: Counts;
}

/**
 * Restores the newest usable backup set beside the original and checks it: files and indexes, the configured SQL checks,
 * and that no table lost a fifth of its rows. The result is kept on the backup set. The clone is dropped, whatever happens.
 * Looked at, it is done over several runs, each of which goes on where the last one had to end.
 * @param lookSeconds how long one look may check the clone. @default 4 minutes
 * @throws HoldfastError `check-failed` when the backup set didn't pass; its result is recorded then too. `busy` while another
 * verification runs; backups and restores neither wait for one nor hold it up.
 */
export function verify(cluster: Cluster, lookSeconds?: number): Operation<VerifyResult> {
  const { engine, name } = cluster;
  return paced(
    pace =>
      audited(
        engine.memory,
        { what: 'verify', cluster: name },
        pace.signal,
        () => engine.withLock('verification', holder('verify'), () => verifyNewest(cluster, pace)),
        ({ backupSet, verification }) =>
          `${backupSet} passed, restored in ${verification.restoreSeconds.toFixed(1)} s`,
      ),
    lookSeconds,
  );
}

async function verifyNewest(cluster: Cluster, pace: Pace): Promise<VerifyResult> {
  const { engine, name } = cluster;
  const progress =
    (await VerificationProgress.recall(engine.memory, pace.looks)) ?? (await begin(cluster, pace));
  let result: VerifyResult;
  try {
    if (pace.looks) refuseOverdue(progress);
    // Before there is a clone: one that no verification is known for is dropped.
    await progress.keep();
    result = await verifySet(cluster, progress, pace);
    await engine.recordVerification(result.backupSet, result.verification, result.counts);
  } catch (error) {
    if (pace.looks && (error instanceof Unfinished || isBusy(error))) await progress.keep();
    else await end(cluster, progress);
    throw error;
  }
  await end(cluster, progress);
  if (result.verification.result === 'passed') {
    await engine.establish();
    return result;
  }
  throw new HoldfastError(
    'check-failed',
    `backup set ${result.backupSet} of ${name} failed its verification: ${String(result.verification.reason)}`,
    {
      hint: 'Until a verification passes, production changes are blocked. docs/operations.md says what to do.',
    },
  );
}

async function begin(cluster: Cluster, pace: Pace): Promise<VerificationProgress> {
  const { engine } = cluster;
  const evidence = await engine.evidence();
  const { id } = newestUsable(cluster, evidence);
  return VerificationProgress.begin(pace.looks ? engine.memory : null, id, evidence.observedAt);
}

function newestUsable({ name, specification }: Cluster, evidence: Evidence): BackupSet {
  const { newestUsable: set } = judge(evidence, limitsOf(specification.settings.backups));
  if (set !== null) return set;
  throw new HoldfastError('check-failed', `${name} has no usable backup set to verify`, {
    hint: `holdfast backup ${name} --kind full`,
  });
}

function refuseOverdue({ begun: { backupSet, begunAt } }: VerificationProgress): void {
  if (secondsSince(begunAt) <= mostSeconds) return;
  throw new HoldfastError(
    'engine-failed',
    `the verification of ${backupSet} was begun at ${begunAt}, isn’t done, and is given up`,
    {
      hint: 'A table or an index that can’t be read within one run of the schedule is never done: `holdfast verify` by hand has no such limit.',
    },
  );
}

/** Forgets it first: a clone that is left over then is nobody's, and is dropped by the schedule. */
async function end({ engine }: Cluster, { clone }: VerificationProgress): Promise<void> {
  await forgetVerification(engine.memory);
  if (clone !== null) await engine.dropClone(clone);
}

async function verifySet(
  cluster: Cluster,
  progress: VerificationProgress,
  pace: Pace,
): Promise<VerifyResult> {
  const { backupSet, at, begunAt } = progress.begun;
  const failed = (reason: string, restoreSeconds: number): VerifyResult => ({
    backupSet,
    verification: { result: 'failed', at, restoreSeconds, replayBytesPerSecond: null, reason },
    counts: {},
  });
  let clone: FinishedClone;
  try {
    clone = await pace.result(
      cluster.engine.clone({
        target: { type: 'backup-set', id: backupSet },
        backupSet,
        purpose: 'verification',
        expiresAt: after(at, cloneSeconds),
      }),
    );
  } catch (thrown) {
    // Only a backup set that can't be restored fails; a full disk or an interruption says nothing about it.
    const error = asHoldfastError(thrown);
    if (thrown instanceof Unfinished || pace.signal.aborted || !isAboutTheSet(error)) throw thrown;
    return failed(`it can’t be restored: ${error.message}`, secondsSince(begunAt));
  }
  progress.isAbout(clone.id);
  const problems = await check(cluster, clone, progress, pace);
  const { restoreSeconds, replayBytesPerSecond } = clone.measured;
  if (problems.length > 0) return failed(problems.join('; '), restoreSeconds);
  return {
    backupSet,
    verification: { result: 'passed', at, restoreSeconds, replayBytesPerSecond, reason: null },
    counts: progress.counts,
  };
}

function isAboutTheSet({ code }: HoldfastError): boolean {
  return code === 'engine-failed' || code === 'check-failed';
}

/** Clocks of two machines differ a little. */
function secondsSince(at: string): number {
  return Math.max(0, (Date.now() - Date.parse(at)) / 1000);
}
