import type { Readable, Writable } from 'node:stream';
import type { SshConnection } from '../core/settings/stack';
import { startForAws, unreachable } from './remote';
import { forwardedFlag, startOverSsh } from './ssh';
import type { AwsPlace } from './where';

/** The standard streams of the one who called. */
export interface Terminal {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly person: boolean;
  readonly signal: AbortSignal;
}

/**
 * Runs a whole command line with the program where the cluster is looked after, as if it ran here: its output, its questions, its
 * exit code, and Ctrl-C.
 * @returns its exit code
 * @throws HoldfastError `engine-failed` when the machine can't be reached
 */
export async function forward(
  place: SshConnection | AwsPlace,
  args: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { stdin, stdout, stderr, person, signal } = terminal;
  const forwarded = [forwardedFlag(person), ...args];
  const child = place.type === 'ssh' ? startOverSsh(place, forwarded) : startForAws(place, forwarded);
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
    if (place.type === 'ssh' && code === 255) throw unreachable(place, tail);
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
