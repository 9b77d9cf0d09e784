import { CommanderError } from 'commander';
import { asHoldfastError, exitCodes, HoldfastError } from '../core/errors';
import { Interruption } from './interruption';
import type { Io } from './io';

/** Says on standard error why a command failed, and returns its exit code. */
export function reportFailure(thrown: unknown, io: Io, json: boolean): number {
  if (thrown instanceof CommanderError)
    // Commander has printed its message, or the help that was asked for.
    return thrown.exitCode === 0 ? 0 : exitCodes.configuration;
  const interrupted: unknown = io.signal.aborted ? io.signal.reason : undefined;
  if (interrupted instanceof Interruption) {
    write(io, json, { code: 'interrupted', message: `${interrupted.message}; what was begun was undone` });
    return interrupted.exitCode;
  }
  const error = asHoldfastError(thrown);
  write(io, json, {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...causeOf(error),
  });
  if (!(thrown instanceof HoldfastError) && io.env.HOLDFAST_DEBUG && thrown instanceof Error)
    io.stderr.write(`${thrown.stack ?? ''}\n`);
  return error.exitCode;
}

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly cause?: string;
}

/** The cause's message where the error's own doesn't contain it already. */
function causeOf(error: HoldfastError): { cause?: string } {
  const { cause } = error;
  if (!(cause instanceof Error) || cause.message === '' || error.message.includes(cause.message)) return {};
  return { cause: cause.message };
}

function write(io: Io, json: boolean, failure: Failure): void {
  if (json) {
    io.stderr.write(`${JSON.stringify({ error: failure })}\n`);
    return;
  }
  io.stderr.write(`holdfast: ${failure.message}\n`);
  if (failure.cause !== undefined) io.stderr.write(`  because: ${failure.cause}\n`);
  if (failure.hint !== undefined) io.stderr.write(`  → ${failure.hint}\n`);
}
