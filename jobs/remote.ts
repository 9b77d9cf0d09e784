import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { HoldfastError, exitCodes, type ErrorCode } from '../core/errors';
import type { SshConnection } from '../core/settings/stack';
import { ownProgram } from './program';
import { forwardedFlag, startOverSsh } from './ssh';
import { describeMachine, describePlace, type AwsPlace, type Place } from './where';

/** Told of every line on standard error, and able to give up. */
export interface CallWatch {
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** What was asked to end, and hasn't so long after, is killed. Only for what changes nothing. @default it is waited for */
  readonly killAfterSeconds?: number;
  /** Over SSH: another program than the installed one, as a path there. */
  readonly program?: string;
}

export interface Call extends CallWatch {
  /** Holdfast's directory on this machine; over SSH that of the connection counts. */
  readonly home: string;
}

export interface CallResult {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the Holdfast program where the cluster is looked after (this machine, one over SSH, or here for AWS), with `input` as its JSON document on
 * standard input, to its end. Aborting ends it as Ctrl-C would.
 *
 * @throws HoldfastError `engine-failed` when the machine can't be reached; not for a failing program.
 */
export async function callProgram(
  place: Place,
  args: readonly string[],
  input: object,
  watch: Call,
): Promise<CallResult> {
  watch.signal?.throwIfAborted();
  const overSsh = place.type === 'ssh';
  const child = start(place, args, watch);
  const stdout: Buffer[] = [];
  const lines: string[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  const errors = createInterface({ input: child.stderr as NodeJS.ReadableStream });
  errors.on('line', line => {
    lines.push(line);
    watch.onLine?.(line);
  });
  // A program that ended before it read its input says why on standard error.
  child.stdin?.on('error', () => undefined);
  child.stdin?.write(`${JSON.stringify(input)}\n`);
  if (!overSsh) child.stdin?.end();
  let deadline: NodeJS.Timeout | undefined;
  const abort = () => {
    const { killAfterSeconds } = watch;
    if (killAfterSeconds !== undefined)
      deadline = setTimeout(() => child.kill('SIGKILL'), killAfterSeconds * 1000);
    if (overSsh) child.stdin?.write('signal SIGINT\n');
    else child.kill('SIGINT');
  };
  watch.signal?.addEventListener('abort', abort, { once: true });
  try {
    const code = await ended(child);
    const result = { code, stdout: Buffer.concat(stdout).toString('utf8'), stderr: lines.join('\n') };
    if (overSsh && code === 255) throw unreachable(place, result.stderr);
    return result;
  } finally {
    clearTimeout(deadline);
    watch.signal?.removeEventListener('abort', abort);
    errors.close();
  }
}

/** As callProgram, for a command that prints one JSON document: its content. @throws HoldfastError when it fails. */
export async function askProgram<T>(
  place: Place,
  args: readonly string[],
  input: object,
  watch: Call,
): Promise<T> {
  const result = await callProgram(place, [...args, '--json'], input, watch);
  if (result.code !== 0) throw failureOf(result, args);
  try {
    return JSON.parse(result.stdout) as T;
  } catch (cause) {
    throw new HoldfastError(
      'engine-failed',
      `holdfast ${args.join(' ')} printed something else than JSON on ${describePlace(place)}`,
      { cause, hint: 'Is the program there the one of this checkout? `pulumi up` installs it.' },
    );
  }
}

function start(place: Place, args: readonly string[], { home, program }: Call): ChildProcess {
  switch (place.type) {
    case 'ssh':
      return startOverSsh(place, [forwardedFlag(false), ...args], program);
    case 'aws':
      return startForAws(place, args);
    case 'local':
      return startHere(ownProgram().file, ['--home', home, ...args]);
  }
}

/** Starts the program that can ask AWS, here, with what the environment says of credentials. */
export function startForAws({ region }: AwsPlace, args: readonly string[]): ChildProcess {
  return startHere(ownProgram('aws').file, [...args, '--region', region]);
}

function startHere(file: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [file, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', cause =>
      reject(new HoldfastError('engine-failed', `the program can't be started: ${cause.message}`, { cause })),
    );
    child.once('close', code => resolve(code));
  });
}

/** ssh's own failures have exit code 255; the program never ends with it. */
export function unreachable(connection: SshConnection, stderr: string): HoldfastError {
  // ssh ends its lines like a terminal; what it advises (removing the pinned key) is not what to do here.
  const said = stderr.split(/\r?\n/).map(line => line.trim());
  const reason = said
    .filter(line => line !== '' && !line.includes('ssh-keygen'))
    .slice(-2)
    .join('; ');
  return new HoldfastError('engine-failed', `${describeMachine(connection)} can't be reached: ${reason}`, {
    hint: /host key/i.test(reason)
      ? 'The machine shows another host key than the pinned one: compare it on the machine itself before you change connection.hostKey.'
      : 'Check connection.host, port, user, privateKeyPath and hostKey, and that sshd runs there.',
  });
}

/** The error that a program reported on its last line of standard error. */
export function failureOf(result: CallResult, args: readonly string[]): HoldfastError {
  const said = result.stderr.trim();
  const lastLine = said.slice(said.lastIndexOf('\n') + 1);
  const reported = parseFailure(lastLine);
  if (reported !== undefined) return reported;
  // What Node.js says of a program that it can't start stands above its trace.
  const last = said.split('\n').findLast(line => /^\w*Error: /.test(line)) ?? lastLine;
  const code = (Object.keys(exitCodes) as ErrorCode[]).find(key => exitCodes[key] === result.code);
  return new HoldfastError(
    code ?? 'engine-failed',
    `holdfast ${args.join(' ')} ended with ${result.code ?? 'a signal'}: ${last === '' ? 'it said nothing' : last}`,
  );
}

function parseFailure(line: string): HoldfastError | undefined {
  try {
    const { error } = JSON.parse(line) as {
      error?: { code?: string; message?: string; hint?: string; cause?: string };
    };
    if (error?.message === undefined) return undefined;
    const code = error.code !== undefined && error.code in exitCodes ? (error.code as ErrorCode) : undefined;
    const message = error.cause === undefined ? error.message : `${error.message} (${error.cause})`;
    return new HoldfastError(
      code ?? 'engine-failed',
      message,
      error.hint === undefined ? {} : { hint: error.hint },
    );
  } catch {
    return undefined;
  }
}
