import Table from 'cli-table3';
import { formatDuration } from '../core/durations';
import type { Instant } from '../core/evidence';
import { secondsBetween } from '../core/time';

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size in decimal units, three digits: "1.23 GB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits)} ${units[unit] ?? ''}`;
}

/** "3 h ago"; a clock's tolerance can put it slightly into the future. */
export function formatAgo(instant: Instant, now: Instant): string {
  const seconds = secondsBetween(instant, now);
  return seconds < 0 ? 'just now' : `${formatDuration(seconds)} ago`;
}

/** To the second, for a person: "2026-01-02 03:04:05Z". */
export function formatInstant(instant: Instant): string {
  return `${instant.slice(0, 19).replace('T', ' ')}Z`;
}

/** A command line that can be pasted into a shell. */
export function connectLine(args: readonly string[]): string {
  return ['psql', ...args]
    .map(word => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}

/** Columns without lines: easy to read, easy to cut. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const none = '';
  const drawn = new Table({
    head: head.map(title => title.toUpperCase()),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: none,
    },
  });
  drawn.push(...rows.map(row => [...row]));
  return drawn
    .toString()
    .split('\n')
    .map(line => line.trimEnd())
    .join('\n');
}
