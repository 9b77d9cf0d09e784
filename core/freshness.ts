import type { BackupSet, Evidence } from './evidence';

export type Verdict = 'fresh' | 'stale' | 'missing' | 'unknown';

/** What is promised for a cluster; all in seconds. */
export interface Limits {
  readonly maximumAge: number;
  readonly verificationMaximumAge: number;
  readonly rpo: number;
  readonly rto: number;
}

/** One rule's judgement. `readable` covers problems and identity, and is never waived by break-glass. */
export interface Finding {
  readonly rule: 'readable' | 'recent' | 'restorable' | 'verified';
  readonly verdict: Verdict;
  /** The evidence and the limit, in a sentence. */
  readonly message: string;
  /** What to do about it; null when the verdict is fresh. */
  readonly remedy: string | null;
}

export interface Judgement {
  /** The worst of the findings: unknown, missing, stale, fresh. */
  readonly verdict: Verdict;
  /** One for each rule, in the order of the type. */
  readonly findings: readonly Finding[];
  readonly newestUsable: BackupSet | null;
  /** Only while a cluster is first provisioned or adopted does a verdict other than fresh let a change through. */
  readonly letsThrough: 'fresh' | 'first-provision' | 'adoption' | null;
}

/** The one judgement that the gates, the schedules and `holdfast status` share. */
export type Judge = (evidence: Evidence, limits: Limits) => Judgement;
