import * as pulumi from '@pulumi/pulumi';
import { HoldfastError } from '../core/errors';

/**
 * What was thrown, as Pulumi shows it best: message and hint of a foreseen error, without a stack trace, which Node.js may
 * take half a minute to render when Pulumi's frames are in it.
 * @param what What it was in the middle of, put before the message.
 */
export function reported(thrown: unknown, what?: string): pulumi.RunError {
  if (pulumi.RunError.isInstance(thrown)) return thrown;
  const text =
    thrown instanceof HoldfastError
      ? thrown.describe()
      : thrown instanceof Error
        ? (thrown.stack ?? thrown.message)
        : String(thrown);
  return new pulumi.RunError(what === undefined ? text : `${what}: ${text}`);
}
