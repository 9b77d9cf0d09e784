import { HoldfastError } from './errors';

/** A position in the WAL: bytes since its begin. */
export type Lsn = bigint;

const pattern = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i;

/**
 * A position as PostgreSQL writes it, `16/B374D848`.
 * @throws HoldfastError `engine-failed` when it isn't one.
 */
export function parseLsn(text: string): Lsn {
  const match = pattern.exec(text.trim());
  if (!match)
    throw new HoldfastError('engine-failed', `${JSON.stringify(text)} is not a position in the WAL`);
  const [, high, low] = match;
  return (BigInt(`0x${String(high)}`) << 32n) | BigInt(`0x${String(low)}`);
}

export function formatLsn(lsn: Lsn): string {
  return [lsn >> 32n, lsn & 0xffff_ffffn].map(part => part.toString(16).toUpperCase()).join('/');
}

/** Bytes from `earlier` to `later`; negative when they are the other way round. */
export function subtractLsn(later: Lsn, earlier: Lsn): bigint {
  return later - earlier;
}
