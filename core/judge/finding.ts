import { formatDuration } from '../durations';
import type { Evidence } from '../evidence';

export type Verdict = 'fresh' | 'stale' | 'missing' | 'unknown';

/** What is promised for a cluster; all in seconds. */
export interface Limits {
  readonly maximumAge: number;
  readonly verificationMaximumAge: number;
  readonly rpo: number;
  readonly rto: number;
}

/**
 * One rule's judgement. `identity` covers system identifiers that contradict each other or a known cluster that isn't there,
 * and is never waived; `readable` covers everything else that could not be read or contradicts itself.
 */
export interface Finding {
  readonly rule: 'identity' | 'readable' | 'recent' | 'restorable' | 'verified';
  readonly verdict: Verdict;
  /** The evidence and the limit, in a sentence. */
  readonly message: string;
  /** What to do about it; null when the verdict is fresh. */
  readonly remedy: string | null;
}

/** One thing that keeps a rule from being fresh. */
export interface Trouble {
  readonly verdict: Exclude<Verdict, 'fresh'>;
  readonly message: string;
  readonly remedy: string;
}

const badness: Readonly<Record<Verdict, number>> = { fresh: 0, stale: 1, missing: 2, unknown: 3 };

/** The worst of some verdicts; fresh when there are none. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce((a, b) => (badness[b] > badness[a] ? b : a), 'fresh');
}

/** A rule's finding: all its troubles in one, or what is well. */
export function finding(rule: Finding['rule'], troubles: readonly Trouble[], well: string): Finding {
  if (troubles.length === 0) return { rule, verdict: 'fresh', message: well, remedy: null };
  const once = (texts: string[]) => [...new Set(texts)].join('; ');
  return {
    rule,
    verdict: worst(troubles.map(({ verdict }) => verdict)),
    message: once(troubles.map(({ message }) => message)),
    remedy: once(troubles.map(({ remedy }) => remedy)),
  };
}

/** What each rule about backups says when there is none to speak of. */
export function noUsableBackup({ backups, cluster }: Evidence): Trouble {
  const remedy = `holdfast backup ${cluster} --kind full`;
  const newest = backups.at(-1);
  if (newest === undefined) return { verdict: 'missing', message: 'there is no backup', remedy };
  return {
    verdict: 'missing',
    message: `no backup set is usable; ${newest.id}: ${String(newest.unusable)}`,
    remedy,
  };
}

/** An age as a person says it; that clocks may differ a little can make it slightly negative. */
export function formatAge(seconds: number): string {
  return Number.isNaN(seconds) ? 'of unknown age' : `${formatDuration(Math.max(0, seconds))} old`;
}
