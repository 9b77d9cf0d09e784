import { asHoldfastError } from '../../core/errors';
import type { Clone } from '../../engines/engine';
import type { Cluster } from '../cluster';
import { countRows, databasesOf, undeclaredFalls } from '../counts';
import type { Pace } from '../pace';
import type { VerificationProgress } from './progress';

/**
 * Checks what an earlier run has not checked of a clone yet: files and indexes, the configured checks, the rows of each table.
 * Whether it is to end is asked after each piece, so that every run does one at least.
 * @returns everything that is wrong with it, not only the first.
 */
export async function check(
  { engine, specification }: Cluster,
  clone: Clone,
  progress: VerificationProgress,
  pace: Pace,
): Promise<readonly string[]> {
  const { checks, allowedFalls } = specification.settings.backups.verification;
  await engine.checkIntegrity(clone, progress, pace);
  for (const { database, name, sql } of checks) {
    const piece = `check "${name}" (${database})`;
    if (progress.has(piece)) continue;
    pace.report({ fraction: null, step: `checking: ${name}` });
    const outcome = await engine
      .withSession({ database, clone }, session => session.query<Record<string, unknown>>(sql))
      .then(judgeRows, (error: unknown) => asHoldfastError(error).message);
    await progress.tick(piece, outcome === null ? [] : [`the ${piece} failed: ${outcome}`]);
    pace.signal.throwIfAborted();
  }
  pace.report({ fraction: null, step: 'counting rows' });
  await countRows(engine, clone, await databasesOf(engine, clone), progress, pace.signal);
  return [...progress.wrong, ...undeclaredFalls(await engine.lastCounts(), progress.counts, allowedFalls)];
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
