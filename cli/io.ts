import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { Lines } from './lines';

/** What a command may use of the process; tests hand in their own. */
export interface Io {
  readonly lines: Lines;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: NodeJS.ProcessEnv;
  /** Where it was started: the project directory, where there are stack files. */
  readonly directory: string;
  /** Standard error is a terminal that a progress bar can be drawn on. */
  readonly terminal: boolean;
  /** A person sits in front of it, who can be asked. */
  readonly person: boolean;
  readonly color: boolean;
  /** Aborts at SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal;
}

export function processIo(signal: AbortSignal): Io {
  const noColor = process.env.NO_COLOR !== undefined && process.env.NO_COLOR !== '';
  let lines: Lines | undefined;
  return {
    // Node.js opens standard input when it is first named; most commands never read it.
    get lines() {
      return (lines ??= new Lines(process.stdin));
    },
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    directory: process.cwd(),
    terminal: process.stderr.isTTY && process.env.TERM !== 'dumb',
    person: isatty(0) && process.stderr.isTTY,
    color: process.stdout.isTTY && !noColor,
    signal,
  };
}
