import type { Instant } from '../../../core/evidence';
import { parseLsn } from '../../../core/lsn';

/** What a recovering server has said so far. */
export interface RecoveryLog {
  readonly redoStartsAt: string | null;
  /** Where the last record that was replayed begins. */
  readonly redoDoneAt: string | null;
  readonly elapsedSeconds: number | null;
  readonly lastTransactionAt: Instant | null;
  /** The last segment that came from the repository. */
  readonly segment: string | null;
  /** Connections are accepted: recovery has ended. */
  readonly ready: boolean;
  /** The WAL ended before the target: no commit after the time, or the position isn't archived. */
  readonly endedEarly: boolean;
  /** What ended the server. */
  readonly fatal: string | null;
}

export const silentLog: RecoveryLog = {
  redoStartsAt: null,
  redoDoneAt: null,
  elapsedSeconds: null,
  lastTransactionAt: null,
  segment: null,
  ready: false,
  endedEarly: false,
  fatal: null,
};

/** Reads further lines of the log of a recovering server (`log_line_prefix = '%m '`, `lc_messages = C`). */
export function readRecoveryLog(before: RecoveryLog, text: string): RecoveryLog {
  const state = { ...before };
  for (const line of text.split('\n')) {
    const [, level, words] = /^\S+ \S+ UTC (LOG|FATAL|PANIC): {2}(.*)$/.exec(line) ?? [];
    if (words === undefined) continue;
    if (level !== 'LOG') readFatal(state, words);
    else readLine(state, words);
  }
  return state;
}

type State = { -readonly [Key in keyof RecoveryLog]: RecoveryLog[Key] };

function readLine(state: State, words: string): void {
  const [, starts] = /^redo starts at (\S+)/.exec(words) ?? [];
  if (starts !== undefined) state.redoStartsAt = starts;
  const [, done, elapsed] = /^redo done at (\S+)(?: .*elapsed: (\d+(?:\.\d+)?) s)?/.exec(words) ?? [];
  if (done !== undefined) {
    state.redoDoneAt = done;
    state.elapsedSeconds = elapsed === undefined ? null : Number(elapsed);
  }
  const [, day, time] =
    /^last completed transaction was at log time (\S+) (\d\d:\d\d:\d\d(?:\.\d+)?)\+00/.exec(words) ?? [];
  if (day !== undefined && time !== undefined)
    state.lastTransactionAt = new Date(`${day}T${time}Z`).toISOString();
  const [, segment] = /^restored log file "([0-9A-F]{24})" from archive/.exec(words) ?? [];
  if (segment !== undefined) state.segment = segment;
  if (words.startsWith('database system is ready to accept connections')) state.ready = true;
}

function readFatal(state: State, words: string): void {
  if (words.startsWith('the database system is')) return;
  if (words.startsWith('recovery ended before configured recovery target')) state.endedEarly = true;
  state.fatal ??= words;
}

/** Bytes of WAL replayed a second; null when it was too little to measure: less than a segment or half a second. */
export function replayRate(log: RecoveryLog): number | null {
  const { redoStartsAt, redoDoneAt, elapsedSeconds } = log;
  if (redoStartsAt === null || redoDoneAt === null || elapsedSeconds === null) return null;
  const bytes = Number(parseLsn(redoDoneAt) - parseLsn(redoStartsAt));
  return bytes < 16 * 1024 * 1024 || elapsedSeconds < 0.5 ? null : Math.round(bytes / elapsedSeconds);
}
