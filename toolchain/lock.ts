import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../core/errors';
import { errorCodeOf } from './subprocess';

/** With this exit code a locker says that somebody else holds the lock. */
const heldExitCode = 75;

/**
 * Programs that hold a lock of the kernel on a file until their standard input ends, which it does whatever way this
 * process dies. `flock` is part of util-linux; perl is there where that isn't (macOS).
 */
const lockers: readonly ((file: string, wait: boolean) => readonly [program: string, ...args: string[]])[] = [
  (file, wait) => [
    'flock',
    '--no-fork',
    ...(wait ? [] : ['--nonblock', '--conflict-exit-code', String(heldExitCode)]),
    file,
    'sh',
    '-c',
    'echo locked; exec cat >/dev/null',
  ],
  (file, wait) => [
    'perl',
    '-MFcntl=:flock',
    '-e',
    'open(my $f, ">>", $ARGV[0]) or die "$!\\n"; flock($f, LOCK_EX | ($ARGV[1] ? 0 : LOCK_NB)) or exit($ARGV[2]);' +
      ' $| = 1; print "locked\\n"; 1 while <STDIN>',
    file,
    wait ? '1' : '',
    String(heldExitCode),
  ],
];

/**
 * Runs `work` while holding the lock on `file`, alone among all processes of this machine. Calls `onWaiting` and waits
 * when somebody else holds it.
 * @throws HoldfastError `configuration` when there is neither flock nor perl; the signal's reason when it is aborted.
 */
export async function withLock<T>(
  file: string,
  options: { readonly onWaiting: () => void; readonly signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted();
  await mkdir(path.dirname(file), { recursive: true });
  let holder = await acquire(file, false, options.signal);
  if (holder === 'held') {
    options.onWaiting();
    holder = await acquire(file, true, options.signal);
  }
  if (holder === 'held') throw new HoldfastError('engine-failed', `the lock ${file} can't be taken`);
  try {
    return await work();
  } finally {
    await release(holder);
  }
}

async function acquire(file: string, wait: boolean, signal?: AbortSignal): Promise<ChildProcess | 'held'> {
  for (const locker of lockers) {
    const [program, ...args] = locker(file, wait);
    // Its own session: a Ctrl-C at the terminal is ours to handle, with the lock still held.
    const holder = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
      env: process.env,
    });
    const onAbort = () => holder.kill();
    signal?.addEventListener('abort', onAbort);
    try {
      const answer = await answerOf(holder, file);
      if (answer !== 'no such program') return answer === 'locked' ? holder : answer;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      signal?.throwIfAborted();
    }
  }
  throw new HoldfastError(
    'configuration',
    `the lock ${file} needs the program flock or perl: neither is installed`,
    { hint: 'install util-linux (Linux) or perl, and run this again' },
  );
}

function answerOf(holder: ChildProcess, file: string): Promise<'locked' | 'held' | 'no such program'> {
  return new Promise((resolve, reject) => {
    let complaint = '';
    holder.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
    holder.stdout?.once('data', () => resolve('locked'));
    holder.stdin?.on('error', () => undefined);
    holder.once('error', error => {
      if (errorCodeOf(error) === 'ENOENT') resolve('no such program');
      else reject(error);
    });
    holder.once('close', code => {
      if (code === heldExitCode) resolve('held');
      else reject(new HoldfastError('engine-failed', `the lock ${file} can't be taken: ${complaint.trim()}`));
    });
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
