import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../core/errors';

/**
 * Programs that hold a lock of the kernel on a file until their standard input ends, which it does whatever way this
 * process dies. `flock` is part of util-linux; perl is there where that isn't (macOS).
 */
const lockers: readonly (readonly [program: string, ...args: string[]])[] = [
  ['flock', '--no-fork', '%', 'sh', '-c', 'echo locked; exec cat >/dev/null'],
  [
    'perl',
    '-MFcntl=:flock',
    '-e',
    'open(my $f, ">>", $ARGV[0]) or die $!; flock($f, LOCK_EX) or die $!; $| = 1; print "locked\\n"; 1 while <STDIN>',
    '%',
  ],
];

/** After this long, waiting is worth a line. */
const quietMilliseconds = 500;

/**
 * Runs `work` while holding the lock on `file`, alone among all processes of this machine. Waits for whoever holds it.
 * @throws HoldfastError `configuration` when there is neither flock nor perl; the signal's reason when it is aborted.
 */
export async function withLock<T>(
  file: string,
  options: { readonly onWaiting: () => void; readonly signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  await mkdir(path.dirname(file), { recursive: true });
  const waiting = setTimeout(options.onWaiting, quietMilliseconds);
  let holder: ChildProcess;
  try {
    holder = await acquire(file, options.signal);
  } finally {
    clearTimeout(waiting);
  }
  try {
    return await work();
  } finally {
    await release(holder);
  }
}

async function acquire(file: string, signal: AbortSignal | undefined): Promise<ChildProcess> {
  for (const [program, ...args] of lockers) {
    const holder = spawn(
      program,
      args.map(arg => (arg === '%' ? file : arg)),
      // Its own session: a Ctrl-C at the terminal is ours to handle, with the lock still held.
      { stdio: ['pipe', 'pipe', 'pipe'], detached: true, env: process.env },
    );
    const onAbort = () => holder.kill();
    signal?.addEventListener('abort', onAbort);
    try {
      if (await granted(holder, file)) return holder;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      signal?.throwIfAborted();
    }
  }
  throw new HoldfastError(
    'configuration',
    `the lock ${file} needs the program flock or perl: neither is installed`,
    {
      hint: 'install util-linux (Linux) or perl, and run this again',
    },
  );
}

/** True once the lock is held, false when there is no such program. */
function granted(holder: ChildProcess, file: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    holder.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    holder.stdout?.once('data', () => resolve(true));
    holder.stdin?.on('error', () => undefined);
    holder.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' ? resolve(false) : reject(error),
    );
    holder.once('close', () =>
      reject(new HoldfastError('engine-failed', `the lock ${file} can't be taken: ${complaint.trim()}`)),
    );
  });
}

function release(holder: ChildProcess): Promise<void> {
  return new Promise(resolve => {
    if (holder.exitCode !== null || holder.signalCode !== null) {
      resolve();
      return;
    }
    holder.once('close', () => resolve());
    holder.stdin?.end();
  });
}
