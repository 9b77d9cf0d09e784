import type { Bench } from './bench';

/** One line of the table: ours against the raw tool, in pairs, one right after the other. */
export interface Row {
  /** For `--only`. */
  readonly id: string;
  readonly what: string;
  /** The most that ours may take, as a multiple of raw; or MB, where there is no raw tool. */
  readonly bar: number;
  readonly unit: 'ratio' | 'MB';
  /** Pairs by default; long ones need few. */
  readonly pairs: number;
  readonly prepare?: (bench: Bench) => Promise<void>;
  /** Seconds, or MB. */
  readonly ours: (bench: Bench) => Promise<number>;
  readonly raw?: (bench: Bench) => Promise<number>;
}

export interface Result {
  readonly row: Row;
  readonly pairs: number;
  readonly ours: number;
  readonly raw: number | null;
  /** The median of the pairs' ratios; MB for memory. */
  readonly value: number;
  readonly met: boolean;
}
