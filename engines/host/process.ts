import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { HoldfastError } from '../../core/errors';

export interface RunOptions {
  /** Standard input; the place for whatever is secret. */
  readonly input?: string;
  /** The whole environment. @default ours */
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** After so many seconds the process and its children are ended, and the call fails. */
  readonly timeoutSeconds: number;
  /** When it printed nothing on standard output for so many seconds, the same. @default never */
  readonly quietSeconds?: number;
  /** When it aborts, the process and its children are ended, and the call fails. */
  readonly signal?: AbortSignal;
  /** Told of each line of standard output as it comes; the output isn't collected then. */
  readonly onLine?: (line: string) => void;
  /** More on standard output ends the process, and the call fails. @default 16 MiB */
  readonly largestStdoutBytes?: number;
  /** Exit codes that are no failure. @default [0] */
  readonly acceptExitCodes?: readonly number[];
}

export interface Ran {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** A program that did not end well. */
export class ProcessError extends HoldfastError {
  /** Null when a signal ended it, or it never ran. */
  readonly processExitCode: number | null;
  readonly timedOut: boolean;
  readonly aborted: boolean;
  readonly stderr: string;

  constructor(
    message: string,
    details: {
      readonly exitCode?: number | null;
      readonly timedOut?: boolean;
      readonly aborted?: boolean;
      readonly stderr?: string;
      readonly hint?: string | undefined;
      readonly cause?: unknown;
    },
  ) {
    const { hint, cause } = details;
    super('engine-failed', message, { ...(hint === undefined ? {} : { hint }), cause });
    this.processExitCode = details.exitCode ?? null;
    this.timedOut = details.timedOut ?? false;
    this.aborted = details.aborted ?? false;
    this.stderr = details.stderr ?? '';
  }
}

const largestStdout = 16 * 1024 * 1024;
const largestStderr = 64 * 1024;
const graceMilliseconds = 5000;

/**
 * Runs a program with an argument array, in a process group of its own. Arguments are visible to everybody on the
 * machine, so none is ever secret.
 *
 * @throws ProcessError when it is missing, can't be started, times out, is aborted, prints too much, or ends with an exit
 * code that isn't accepted; its standard error is in the message.
 */
export async function run(program: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  options.signal?.throwIfAborted();
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    // A group of its own, so that what it starts can be ended with it.
    detached: true,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  const output = collect(child, options);
  const reason: Reason = {};
  output.onTooMuch(() => {
    reason.tooMuch = true;
    end(child);
  });
  const timer = setTimeout(() => {
    reason.timedOut = true;
    end(child);
  }, options.timeoutSeconds * 1000);
  const stopListening = whenQuiet(child, options.quietSeconds, seconds => {
    reason.quietSeconds = seconds;
    end(child);
  });
  const abort = (): void => {
    reason.aborted = true;
    end(child);
  };
  options.signal?.addEventListener('abort', abort, { once: true });
  let exitCode: number | null;
  try {
    exitCode = await closed(child, program);
  } finally {
    clearTimeout(timer);
    stopListening();
    options.signal?.removeEventListener('abort', abort);
  }
  const { stdout, stderr } = output.result();
  const accepted = options.acceptExitCodes ?? [0];
  if (exitCode !== null && accepted.includes(exitCode) && Object.keys(reason).length === 0)
    return { stdout, stderr, exitCode };
  throw new ProcessError(message(program, args, exitCode, reason, options, stderr), {
    timedOut: reason.timedOut === true || reason.quietSeconds !== undefined,
    aborted: reason.aborted === true,
    exitCode,
    stderr,
    ...(reason.aborted === true ? { cause: options.signal?.reason } : {}),
  });
}

/** Why a process was ended. */
interface Reason {
  timedOut?: boolean;
  quietSeconds?: number;
  aborted?: boolean;
  tooMuch?: boolean;
}

/** Calls `then` once a process has printed nothing for so long. @returns what ends that. */
function whenQuiet(
  child: ChildProcess,
  seconds: number | undefined,
  then: (seconds: number) => void,
): () => void {
  if (seconds === undefined) return () => undefined;
  const timer = setTimeout(() => then(seconds), seconds * 1000);
  child.stdout?.on('data', () => timer.refresh());
  return () => clearTimeout(timer);
}

function closed(child: ChildProcess, program: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', error => reject(notStarted(program, error)));
    child.once('close', code => resolve(code));
  });
}

/** Ends the whole process group: asked first, forced when that takes too long. */
function end(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMilliseconds);
  child.once('close', () => clearTimeout(timer));
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already.
  }
}

function collect(child: ChildProcess, options: RunOptions) {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let stderr = '';
  let rest = '';
  let tooMuch: () => void = () => undefined;
  const { onLine } = options;
  child.stdout?.on('data', (chunk: Buffer) => {
    if (onLine) {
      const text = rest + chunk.toString('utf8');
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      for (const line of text.slice(0, end).split('\n').slice(0, -1)) onLine(line);
      return;
    }
    bytes += chunk.length;
    if (bytes > (options.largestStdoutBytes ?? largestStdout)) tooMuch();
    else chunks.push(chunk);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    // The last words count; a flood of warnings must not fill the memory.
    stderr = (stderr + text).slice(-largestStderr);
  });
  // A program that ends before it read its input: its exit code tells more than the broken pipe.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  return {
    onTooMuch: (then: () => void) => void (tooMuch = then),
    result: () => {
      if (onLine && rest !== '') onLine(rest);
      return { stdout: Buffer.concat(chunks).toString('utf8'), stderr };
    },
  };
}

function message(
  program: string,
  args: readonly string[],
  exitCode: number | null,
  reason: Reason,
  options: RunOptions,
  stderr: string,
): string {
  const subcommand = args[0] !== undefined && /^[a-z][a-z-]*$/.test(args[0]) ? ` ${args[0]}` : '';
  const what = `${program}${subcommand}`;
  const words = stderr.trim() === '' ? '' : `:\n${stderr.trim()}`;
  if (reason.timedOut === true)
    return `${what} did not end within ${options.timeoutSeconds} s and was stopped${words}`;
  if (reason.quietSeconds !== undefined)
    return `${what} said nothing for ${reason.quietSeconds} s and was stopped${words}`;
  if (reason.aborted === true) return `${what} was stopped${words}`;
  if (reason.tooMuch === true)
    return `${what} printed more than ${(options.largestStdoutBytes ?? largestStdout) / 1024 / 1024} MiB and was stopped${words}`;
  return exitCode === null
    ? `${what} was ended by a signal${words}`
    : `${what} ended with exit code ${exitCode}${words}`;
}

/** What to install for a program that isn't there. */
const packages: Readonly<Record<string, string>> = {
  pgbackrest: 'Install pgBackRest 2.45 or later (Debian: `apt install pgbackrest`).',
  crontab: 'Install cron (Debian: `apt install cron`).',
  flock: 'Install util-linux, which has flock.',
};

function notStarted(program: string, error: NodeJS.ErrnoException): ProcessError {
  if (error.code !== 'ENOENT')
    return new ProcessError(`${program} could not be started: ${error.message}`, { cause: error });
  return new ProcessError(`${program} is not installed on this machine, or is not on the PATH`, {
    hint:
      packages[program] ??
      'Install it, or put its directory on the PATH of the user that runs the cluster; does the working directory exist?',
    cause: error,
  });
}
