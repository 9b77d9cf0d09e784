import { asHoldfastError, HoldfastError } from '../core/errors';
import type { BackupSet, Evidence, Verification } from '../core/evidence';
import { judge, limitsOf } from '../core/freshness';
import { after } from '../core/time';
import type { Clone, FinishedClone, Watch } from '../engines/engine';
import { audited } from './audit';
import { holder } from './backup';
import type { Cluster } from './cluster';
import { countRows, databasesOf, undeclaredFalls, type Counts } from './counts';

/** Longer than any verification takes. What one that was killed leaves, the schedule drops at once. */
const cloneSeconds = 7 * 24 * 3600;

export interface VerifyResult {
  readonly backupSet: string;
  readonly verification: Verification;
  readonly counts: Counts;
}

/**
 * Restores the newest usable backup set beside the original and checks it: files and indexes, the configured SQL checks,
 * and that no table lost a fifth of its rows. The result is kept on the backup set. The clone is dropped, whatever happens.
 * @throws HoldfastError `check-failed` when the backup set didn't pass; its result is recorded then too. `busy` while another
 * verification runs; backups and restores neither wait for one nor hold it up.
 */
export function verify(cluster: Cluster, watch: Watch): Promise<VerifyResult> {
  return audited(
    cluster.directory,
    { what: 'verify', cluster: cluster.name },
    watch.signal,
    () => cluster.engine.withLock('verification', holder('verify'), () => verifyNewest(cluster, watch)),
    ({ backupSet, verification }) =>
      `${backupSet} passed, restored in ${verification.restoreSeconds.toFixed(1)} s`,
  );
}

async function verifyNewest(cluster: Cluster, watch: Watch): Promise<VerifyResult> {
  const { engine, name } = cluster;
  const evidence = await engine.evidence();
  const set = newestUsable(cluster, evidence);
  const result = await verifySet(cluster, set, evidence, watch);
  await engine.recordVerification(set.id, result.verification, result.counts);
  if (result.verification.result === 'passed') {
    await engine.establish();
    return result;
  }
  throw new HoldfastError(
    'check-failed',
    `backup set ${set.id} of ${name} failed its verification: ${String(result.verification.reason)}`,
    {
      hint: 'Until a verification passes, production changes are blocked. docs/operations.md says what to do.',
    },
  );
}

function newestUsable({ name, specification }: Cluster, evidence: Evidence): BackupSet {
  const { newestUsable: set } = judge(evidence, limitsOf(specification.settings.backups));
  if (set !== null) return set;
  throw new HoldfastError('check-failed', `${name} has no usable backup set to verify`, {
    hint: `holdfast backup ${name} --kind full`,
  });
}

async function verifySet(
  cluster: Cluster,
  set: BackupSet,
  evidence: Evidence,
  watch: Watch,
): Promise<VerifyResult> {
  const { engine } = cluster;
  const at = evidence.observedAt;
  const failed = (reason: string, restoreSeconds: number): VerifyResult => ({
    backupSet: set.id,
    verification: { result: 'failed', at, restoreSeconds, replayBytesPerSecond: null, reason },
    counts: {},
  });
  const begun = Date.now();
  let clone: FinishedClone;
  try {
    clone = await engine
      .clone({
        target: { type: 'backup-set', id: set.id },
        backupSet: set.id,
        purpose: 'verification',
        expiresAt: after(at, cloneSeconds),
      })
      .wait(watch);
  } catch (thrown) {
    // Only a backup set that can't be restored fails; a full disk or an interruption says nothing about it.
    const error = asHoldfastError(thrown);
    if (watch.signal.aborted || (error.code !== 'engine-failed' && error.code !== 'check-failed'))
      throw thrown;
    return failed(`it can’t be restored: ${error.message}`, (Date.now() - begun) / 1000);
  }
  try {
    const { problems, counts } = await check(cluster, clone, watch);
    const { restoreSeconds, replayBytesPerSecond } = clone.measured;
    if (problems.length > 0) return failed(problems.join('; '), restoreSeconds);
    return {
      backupSet: set.id,
      verification: {
        result: 'passed',
        at,
        restoreSeconds,
        replayBytesPerSecond,
        reason: null,
      },
      counts,
    };
  } finally {
    await engine.dropClone(clone.id);
  }
}

/** Everything that is wrong with a clone, not only the first. */
async function check(
  { engine, specification }: Cluster,
  clone: Clone,
  watch: Watch,
): Promise<{ problems: string[]; counts: Counts }> {
  const { checks, allowedFalls } = specification.settings.backups.verification;
  const problems = [...(await engine.checkIntegrity(clone, watch))];
  for (const { database, name, sql } of checks) {
    watch.signal.throwIfAborted();
    watch.report({ fraction: null, step: `checking: ${name}` });
    const outcome = await engine
      .withSession({ database, clone }, session => session.query<Record<string, unknown>>(sql))
      .then(judgeRows, (error: unknown) => asHoldfastError(error).message);
    if (outcome !== null) problems.push(`the check "${name}" (${database}) failed: ${outcome}`);
  }
  watch.report({ fraction: null, step: 'counting rows' });
  const counts = await countRows(engine, clone, await databasesOf(engine, clone), watch.signal);
  problems.push(...undeclaredFalls(await engine.lastCounts(), counts, allowedFalls));
  return { problems, counts };
}

/** A check passes with one row whose first column is true. */
function judgeRows(rows: readonly Record<string, unknown>[]): string | null {
  const [row, ...others] = rows;
  if (row === undefined || others.length > 0) return `it returned ${rows.length} rows instead of one`;
  const [value] = Object.values(row);
  return value === true
    ? null
    : `its result is ${value === undefined ? 'nothing' : JSON.stringify(value)}, not true`;
}
