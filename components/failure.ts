import * as pulumi from '@pulumi/pulumi';
import { HoldfastError } from '../core/errors';

/**
 * What was thrown, as Pulumi shows it best: message and hint of a foreseen error, and no stack: Pulumi inspects one with all
 * that hangs on its frames, which takes Node.js half a minute.
 * @param what What it was in the middle of, put before the message.
 */
export function reported(thrown: unknown, what?: string): pulumi.RunError {
  if (pulumi.RunError.isInstance(thrown)) return thrown;
  const text = textOf(thrown);
  const error = new pulumi.RunError(what === undefined ? text : `${what}: ${text}`);
  error.stack = '';
  return error;
}

/** For `apply`: a function whose errors are shown that way. */
export function reporting<A, R>(transform: (value: A) => R | Promise<R>): (value: A) => Promise<R> {
  return async value => {
    try {
      return await transform(value);
    } catch (error) {
      throw reported(error);
    }
  };
}

function textOf(thrown: unknown): string {
  if (thrown instanceof HoldfastError) return thrown.describe();
  if (thrown instanceof Error) return thrown.stack ?? thrown.message;
  return String(thrown);
}
