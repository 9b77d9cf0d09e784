import { spawn } from 'node:child_process';
import type { ErrorCode } from '../../../core/errors';
import { HoldfastError } from '../../../core/errors';

/** How a command of pgBackRest is run. */
export interface CommandOptions {
  /** Told of each line of its standard output as it comes; the output isn't collected then. */
  readonly onLine?: (line: string) => void;
  /** When it aborts, pgBackRest is asked to end (SIGTERM), and waited for. */
  readonly signal?: AbortSignal;
  /** After so many seconds it is ended and the command fails. @default 120, none with `onLine`. */
  readonly timeoutSeconds?: number;
  /** Bytes of standard output after which the rest isn't wanted: the process is ended, and that is no failure. */
  readonly headBytes?: number;
}

/** Runs pgBackRest for one stanza, with one configuration file (which has the secrets; arguments never have any). */
export class PgBackRest {
  constructor(
    readonly configurationFile: string,
    readonly stanza: string,
  ) {}

  /**
   * Standard output of a command. A success says only that pgBackRest exited with 0: what it claims is to be read back.
   *
   * @throws HoldfastError `busy` when another one holds the stanza's lock, `refused` when the stanza is another cluster's,
   * else `engine-failed`.
   */
  async run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const argv = [`--config=${this.configurationFile}`, `--stanza=${this.stanza}`, ...args, command];
    const ended = await execute(argv, options);
    options.signal?.throwIfAborted();
    if (ended.code === 0 || ended.headReached) return ended.stdout;
    if (ended.timedOut)
      throw new HoldfastError(
        'engine-failed',
        `pgbackrest ${command} did not end within its time and was stopped`,
        {
          hint: 'Is the repository’s disk or network slow or gone?',
        },
      );
    throw commandError(command, ended.code, ended.stderr);
  }
}

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  readonly headReached: boolean;
}

function execute(argv: readonly string[], options: CommandOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) {
      reject(options.signal.reason as Error);
      return;
    }
    const child = spawn('pgbackrest', argv, { env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    let timedOut = false;
    let headReached = false;
    const stop = (): void => void child.kill('SIGTERM');
    const seconds = options.timeoutSeconds ?? (options.onLine ? undefined : 120);
    const timer =
      seconds === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            stop();
          }, seconds * 1000);
    options.signal?.addEventListener('abort', stop, { once: true });
    const release = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
    };
    const takeLines = options.onLine && lineSplitter(options.onLine);
    child.stdout.on('data', (chunk: Buffer) => {
      if (takeLines) {
        takeLines(chunk);
        return;
      }
      stdout.push(chunk);
      bytes += chunk.length;
      if (options.headBytes !== undefined && bytes >= options.headBytes && !headReached) {
        headReached = true;
        stop();
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      // The last words count; a flood of warnings must not fill the memory.
      stderr = (stderr + text).slice(-65_536);
    });
    child.once('error', error => {
      release();
      reject(notStarted(error));
    });
    child.once('close', code => {
      release();
      resolve({ code, stdout: Buffer.concat(stdout).toString('utf8'), stderr, timedOut, headReached });
    });
  });
}

/** Ours, without options for pgBackRest that would override the configuration file; log times in UTC. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('PGBACKREST_'));
  return { ...Object.fromEntries(own), TZ: 'UTC' };
}

function lineSplitter(onLine: (line: string) => void): (chunk: Buffer) => void {
  let rest = '';
  return chunk => {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  };
}

function notStarted(error: Error): HoldfastError {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return new HoldfastError('engine-failed', 'pgbackrest is not installed on the cluster’s machine', {
      hint: 'Install pgBackRest 2.45 or later (Debian: `apt install pgbackrest`) and see that it is on the PATH.',
      cause: error,
    });
  return new HoldfastError('engine-failed', `pgbackrest could not be started: ${error.message}`, {
    cause: error,
  });
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint?: string;
}

/** What is known of pgBackRest's exit codes beyond its own words. */
const meanings: Readonly<Record<number, Meaning>> = {
  26: { code: 'engine-failed', hint: 'A file of the repository is damaged: take a full backup.' },
  28: {
    code: 'refused',
    hint: 'The stanza in this repository belongs to another cluster. Name another repository or another cluster; nothing was changed.',
  },
  29: { code: 'engine-failed', hint: 'Is the passphrase of the repository the one that it was made with?' },
  38: { code: 'engine-failed', hint: 'Stop PostgreSQL in that directory first.' },
  39: { code: 'engine-failed', hint: 'Is the repository’s disk full or read-only?' },
  44: {
    code: 'refused',
    hint: 'The stanza in this repository belongs to another cluster. Nothing was changed.',
  },
  50: { code: 'busy', hint: 'Wait until it has ended; `holdfast status` shows it.' },
  55: {
    code: 'engine-failed',
    hint: 'Is the repository’s disk mounted? A repository that was there is never made anew over a missing one.',
  },
  56: { code: 'engine-failed', hint: 'Is the cluster running? See its log, and `holdfast status`.' },
  82: {
    code: 'engine-failed',
    hint: 'WAL does not reach the repository: see the failures of the archiver in `holdfast status`.',
  },
  87: { code: 'engine-failed', hint: 'archive_mode is off: run `pulumi up`.' },
};

function commandError(command: string, code: number | null, stderr: string): HoldfastError {
  const text = printable(stderr).split('\n');
  const first = text.findIndex(line => line.includes('ERROR:'));
  const words = (first < 0 ? text : text.slice(first))
    .map(line => line.replace(/^.*ERROR: (\[\d+\]: )?/, '').trim())
    .filter(line => line !== '' && !line.startsWith('HINT'))
    .slice(0, 3)
    .join('; ');
  const meaning = meanings[code ?? -1] ?? { code: 'engine-failed' };
  const what = words === '' ? 'it said nothing' : words;
  return new HoldfastError(
    meaning.code,
    `pgbackrest ${command} failed (${code === null ? 'it was killed' : `exit code ${code}`}): ${what}`,
    meaning.hint === undefined ? {} : { hint: meaning.hint },
  );
}

/** Words of pgBackRest for a terminal: it quotes what it could not read, ciphertext included. */
export function printable(text: string): string {
  return text
    .split('\n')
    .map(line => {
      const odd = line.search(/[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd]/);
      return odd < 0 ? line.slice(0, 500) : `${line.slice(0, odd)}…`;
    })
    .join('\n')
    .slice(0, 4000);
}
