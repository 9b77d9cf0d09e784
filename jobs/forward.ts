import type { Readable, Writable } from 'node:stream';
import type { SshConnection } from '../core/settings/stack';
import { unreachable } from './remote';
import { forwardedFlag, startOverSsh } from './ssh';

/** The standard streams of the one who called. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly person: boolean;
  readonly signal: AbortSignal;
}

/**
 * Runs a whole command line with the program on the cluster's machine, as if it ran here: its output, its questions, its
 * exit code, and Ctrl-C.
 * @returns its exit code
 * @throws HoldfastError `engine-failed` when the machine can't be reached
 */
export async function forward(
  connection: SshConnection,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { stdin, stdout, stderr, person, signal } = terminal;
  const child = startOverSsh(connection, [forwardedFlag(person), ...args]);
  let tail = '';
  child.stdout?.pipe(stdout, { end: false });
  child.stderr?.on('data', (chunk: Buffer) => {
    tail = (tail + chunk.toString('utf8')).slice(-2000);
    stderr.write(chunk);
  });
  child.stdin?.on('error', () => undefined);
  // Without a person nothing is read: the end of our input is not the end of the job.
  if (person && child.stdin !== null) stdin.pipe(child.stdin, { end: false });
  const pass = () => child.stdin?.write(`signal ${nameOf(signal.reason)}\n`);
  if (signal.aborted) pass();
  else signal.addEventListener('abort', pass, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code === 255) throw unreachable(connection, tail);
    return code ?? 1;
  } finally {
    signal.removeEventListener('abort', pass);
    if (child.stdin !== null) stdin.unpipe(child.stdin);
  }
}

function nameOf(reason: unknown): string {
  const { signal } = reason as { signal?: unknown };
  return typeof signal === 'string' ? signal : 'SIGTERM';
}
