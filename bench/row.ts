import type { AwsBench } from './aws';
import type { Bench } from './bench';

/** One line of the table: ours against the raw tool, in pairs, one right after the other; on a bench of its kind. */
export interface RowOn<B> {
  /** For `--only`. */
  readonly id: string;
  readonly what: string;
  /** The most that ours may take, as a multiple of raw; or MB, or calls, where there is no raw tool. */
  readonly bar: number;
  readonly unit: 'ratio' | 'MB' | 'calls';
  /** Pairs by default; long ones need few. */
  readonly pairs: number;
  readonly prepare?: (bench: B) => Promise<void>;
  /** Seconds, MB, or calls. */
  readonly ours: (bench: B) => Promise<number>;
  readonly raw?: (bench: B) => Promise<number>;
}

/** Staging and production on this machine. */
export type HostRow = RowOn<Bench> & { readonly on: 'host' };
/** A cluster on Amazon RDS, of which moto makes believe. */
export type AwsRow = RowOn<AwsBench> & { readonly on: 'aws' };
export type Row = HostRow | AwsRow;

export interface Result {
  readonly row: RowOn<never>;
  readonly pairs: number;
  readonly ours: number;
  readonly raw: number | null;
  /** The median of the pairs' ratios; MB for memory, or calls. */
  readonly value: number;
  readonly met: boolean;
}
