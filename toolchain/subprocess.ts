import { spawn } from 'node:child_process';

/** How a child process ended, and what it printed last. */
export interface Ended {
  /** Whether it exited with 0. */
  readonly succeeded: boolean;
  /** Why it was ended early, if it was. */
  readonly stopped: string | undefined;
  readonly stdout: string;
  /** The end of standard error, or of standard output where that is empty: what to show when it failed. */
  readonly tail: string;
}

/** What to run, without a shell. */
export interface Subprocess {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each line of standard error. */
  readonly onLine?: (line: string) => void;
  /** Ends it when this returns a reason; asked every `watchEveryMilliseconds`, with the bytes printed so far. */
  readonly watch?: (printed: number) => Promise<string | undefined>;
  readonly watchEveryMilliseconds?: number;
  readonly signal?: AbortSignal | undefined;
}

const keptCharacters = 64 * 1024;
const tailLines = 15;

/**
 * Runs a program to its end. It leads a process group of its own, so that ending it ends what it started.
 * @throws the signal's reason when it is aborted, and an `ENOENT` error when there is no such program.
 */
export async function runSubprocess(options: Subprocess): Promise<Ended> {
  options.signal?.throwIfAborted();
  const child = spawn(options.program, options.args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => killGroup(child.pid);
  let stopped: string | undefined;
  let printed = 0;
  let stdout = '';
  let stderr = '';
  const lines = lineSplitter(options.onLine);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text.length;
    stdout = (stdout + text).slice(-keptCharacters);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    printed += text.length;
    stderr = (stderr + text).slice(-keptCharacters);
    lines(text);
  });
  const watcher = setInterval(() => {
    void options.watch?.(printed).then(reason => {
      if (reason === undefined) return;
      stopped = reason;
      kill();
    });
  }, options.watchEveryMilliseconds ?? 1000);
  options.signal?.addEventListener('abort', kill);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    options.signal?.throwIfAborted();
    const tail = (stderr.trim() || stdout.trim()).split('\n').slice(-tailLines).join('\n');
    return { succeeded: code === 0 && stopped === undefined, stopped, stdout, tail };
  } finally {
    clearInterval(watcher);
    options.signal?.removeEventListener('abort', kill);
    kill();
  }
}

/** The group may be gone already: then there is nothing to end. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // ESRCH
  }
}

function lineSplitter(onLine: ((line: string) => void) | undefined): (text: string) => void {
  let pending = '';
  return text => {
    const parts = (pending + text).split('\n');
    pending = parts.pop() ?? '';
    for (const line of parts) onLine?.(line);
  };
}

/** The code of a system error, `ENOENT` and the like. */
export function errorCodeOf(error: unknown): string | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
