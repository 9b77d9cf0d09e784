/**
 * What kind of trouble an error is. The kind decides the exit code, so that a script or a timer can tell
 * "a gate refused" from "the engine broke" without reading the message.
 */
export type ErrorCode = 'configuration' | 'refused' | 'check-failed' | 'engine-failed' | 'busy';

/** Exit codes of every Holdfast command; 0 is success. */
export const exitCodes: Readonly<Record<ErrorCode, number>> = {
  configuration: 2,
  refused: 3,
  'check-failed': 4,
  'engine-failed': 5,
  busy: 6,
};

/** The error of everything that Holdfast foresees: what went wrong and where, and in `hint` what to do next. */
export class HoldfastError extends Error {
  override readonly name = 'HoldfastError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
  }

  /** The exit code of a command that ends with this error. */
  get exitCode(): number {
    return exitCodes[this.code];
  }

  /** Message and hint, as a person reads them. */
  describe(): string {
    return this.hint === undefined ? this.message : `${this.message}\n  → ${this.hint}`;
  }
}

/** Whatever was thrown, as a HoldfastError: itself when it is one, else wrapped under `code`. */
export function asHoldfastError(thrown: unknown, code: ErrorCode = 'engine-failed'): HoldfastError {
  if (thrown instanceof HoldfastError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new HoldfastError(code, message, { cause: thrown });
}
