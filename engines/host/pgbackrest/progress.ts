import type { Progress } from '../../engine';

const fileLine =
  /^.{23} P\d\d DETAIL: (?:backup|restore|match) file .* \((?:bundle \S+, )?[^()]*?(\d+(?:\.\d+)?)%\)/;

/**
 * Follows pgBackRest's log (`--log-level-console=detail`): each file line carries the share of bytes that are done.
 * Returns what to report for a line, or null when it says nothing new.
 */
export function progressReader(verb: 'copying' | 'restoring'): (line: string) => Progress | null {
  let reached = -1;
  return line => {
    const match = fileLine.exec(line);
    if (match) {
      const fraction = Math.min(1, Number(match[1]) / 100);
      // One report for each per mille: a cluster can have a million files.
      if (fraction - reached < 0.001) return null;
      reached = fraction;
      return { fraction, step: `${verb} files` };
    }
    const step = steps.find(([pattern]) => pattern.test(line))?.[1];
    return step === undefined ? null : { fraction: reached < 0 ? null : reached, step };
  };
}

const steps: readonly (readonly [RegExp, string])[] = [
  [/INFO: execute (?:non-)?exclusive backup start/, 'starting the backup'],
  [/INFO: execute (?:non-)?exclusive backup stop/, 'waiting until the WAL is archived'],
  [/INFO: check archive for segment/, 'checking that the WAL is archived'],
  [/INFO: expire command begin/, 'expiring old backups'],
  [/INFO: restore global\/pg_control/, 'syncing files'],
];
