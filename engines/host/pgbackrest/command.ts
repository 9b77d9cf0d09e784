import type { ErrorCode } from '../../../core/errors';
import { HoldfastError } from '../../../core/errors';
import { ProcessError, run } from '../process';

/** How a command of pgBackRest is run. */
export interface CommandOptions {
  /** Told of each line of its standard output as it comes; the output isn't collected then. */
  readonly onLine?: (line: string) => void;
  /** When it aborts, pgBackRest is asked to end (SIGTERM), and waited for. */
  readonly signal?: AbortSignal;
  /** After so many seconds it is ended and the command fails. @default 120; a week with `onLine` */
  readonly timeoutSeconds?: number;
  /** After so many seconds without a line, too: something hangs. @default 2 hours with `onLine`, else never */
  readonly quietSeconds?: number;
}

const listingSeconds = 120;
/** A listing of a million segments (16 TB of WAL) fits. */
const largestListingBytes = 256 * 1024 * 1024;
const copyingSeconds = 7 * 86_400;
/** A line tells of each file, and none is larger than 1 GiB: who copies less than 150 kB/s for so long doesn't progress. */
const hangsAfterSeconds = 2 * 3600;

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
    const argv = [`--config=${this.configurationFile}`, `--stanza=${this.stanza}`, command, ...args];
    try {
      const { stdout } = await run('pgbackrest', argv, {
        timeoutSeconds: options.onLine ? copyingSeconds : listingSeconds,
        ...(options.onLine ? { quietSeconds: hangsAfterSeconds } : {}),
        largestStdoutBytes: largestListingBytes,
        ...options,
        env: environment(),
      });
      return stdout;
    } catch (error) {
      if (!(error instanceof ProcessError) || error.processExitCode === null || error.aborted) throw error;
      throw commandError(command, error.processExitCode, error.stderr);
    }
  }
}

/** Ours, without options for pgBackRest that would override the configuration file; log times in UTC. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([key]) => !key.startsWith('PGBACKREST_'));
  return { ...Object.fromEntries(own), TZ: 'UTC' };
}

interface Meaning {
  readonly code: ErrorCode;
  readonly hint?: string;
}

const notWritable: Meaning = {
  code: 'engine-failed',
  hint: 'Is the repository’s disk full or read-only?',
};

/** What is known of pgBackRest's exit codes beyond its own words. */
const meanings: Readonly<Record<number, Meaning>> = {
  26: { code: 'engine-failed', hint: 'A file of the repository is damaged: take a full backup.' },
  28: {
    code: 'refused',
    hint: 'The stanza in this repository belongs to another cluster. Name another repository or another cluster; nothing was changed.',
  },
  29: { code: 'engine-failed', hint: 'Is the passphrase of the repository the one that it was made with?' },
  38: { code: 'engine-failed', hint: 'Stop PostgreSQL in that directory first.' },
  39: notWritable,
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

const diskFull: Meaning = {
  code: 'engine-failed',
  hint: 'A disk is full, most likely the repository’s: make room there, or keep fewer backups (backups.retention).',
};

function commandError(command: string, exitCode: number, stderr: string): HoldfastError {
  const text = printable(stderr).split('\n');
  const first = text.findIndex(line => line.includes('ERROR:'));
  const words = (first < 0 ? text : text.slice(first))
    .map(line => line.replace(/^.*ERROR: (\[\d+\]: )?/, '').trim())
    .filter(line => line !== '' && !line.startsWith('HINT'))
    .slice(0, 3)
    .join('; ');
  const meaning = meaningOf(exitCode, words);
  return new HoldfastError(
    meaning.code,
    `pgbackrest ${command} failed (exit code ${exitCode}): ${words === '' ? 'it said nothing' : words}`,
    // Without the process’s own error as cause: it quotes what could not be read, ciphertext included.
    meaning.hint === undefined ? {} : { hint: meaning.hint },
  );
}

function meaningOf(exitCode: number, words: string): Meaning {
  // Said under several exit codes, as its processes pass it on; what it says of a retry may hide that the disk was full.
  if (words.includes('No space left on device')) return diskFull;
  if (words.includes('[FileWriteError]')) return notWritable;
  return meanings[exitCode] ?? { code: 'engine-failed' };
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
