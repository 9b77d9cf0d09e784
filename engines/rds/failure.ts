import { HoldfastError, type ErrorCode } from '../../core/errors';
import type { Problem } from '../../core/evidence';

interface Kind {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly said: string;
  readonly remedy: string;
}

/*
 * Names of errors of the AWS services and of the SDK. What says nothing about the instance or its backups is never
 * `engine-failed`: a verification that meets it has not failed, it didn't take place.
 */
const kinds: readonly Kind[] = [
  {
    pattern: /^(AccessDenied|Unauthorized|NotAuthorized|KMSKeyNotAccessible)/,
    code: 'configuration',
    said: 'AWS denies it',
    remedy: 'Allow it in the IAM policy of who asks.',
  },
  {
    pattern:
      /^(ExpiredToken|RequestExpired|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|CredentialsProviderError|TokenProviderError)/,
    code: 'configuration',
    said: 'the AWS credentials are missing, wrong or expired',
    remedy: 'Log in to AWS again, and try again.',
  },
  {
    pattern: /Throttl|TooManyRequests|RequestLimitExceeded|RateExceeded/,
    code: 'busy',
    said: 'AWS throttles, also after all retries',
    remedy: 'Try again in some minutes.',
  },
  {
    pattern: /QuotaExceeded|InsufficientDBInstanceCapacity/,
    code: 'configuration',
    said: 'AWS has no room for it',
    remedy: 'Delete what nobody needs, have the quota raised, or take another instance class.',
  },
];

const unanswered: Kind = {
  pattern: /^(TimeoutError|RequestTimeout|ServiceUnavailable|InternalFailure|InternalServer)/,
  code: 'busy',
  said: 'AWS does not answer',
  remedy: 'Can this machine reach AWS in this region? Try again.',
};

function kindOf(error: unknown): Kind | undefined {
  const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
  const named = [...kinds, unanswered].find(({ pattern }) => pattern.test(name));
  // The SDK was asked, and there was no answer that it could have failed with.
  const silent = $metadata !== undefined && $metadata.httpStatusCode === undefined;
  return named ?? (silent ? unanswered : undefined);
}

/** An error of AWS as one of Holdfast; one of Holdfast stays what it is. `what` ends "… failed". */
export function failed(what: string, error: unknown): HoldfastError {
  if (error instanceof HoldfastError) return error;
  const kind = kindOf(error);
  const { message } = error as Error;
  return new HoldfastError(
    kind?.code ?? 'engine-failed',
    `${what} failed: ${kind === undefined ? message : `${kind.said} (${message})`}`,
    { cause: error, hint: kind?.remedy ?? 'The console of RDS may tell more.' },
  );
}

/** Something that couldn't be read, for evidence: it makes the verdict `unknown`. */
export function problemOf(what: string, error: unknown): Problem {
  const { message, hint = 'holdfast status' } = failed(what, error);
  return { what: message, remedy: hint };
}

/** Whether AWS says that there is no such thing. Anything else that goes wrong is not "there is none". */
export function isNotFound(error: unknown): boolean {
  return /NotFound(Fault|Exception)?$/.test((error as Error).name);
}

/** Whether AWS refuses because of the state that the thing is in now. */
export function isWrongState(error: unknown): boolean {
  return /^Invalid(DBInstance|DBSnapshot)State(Fault)?$/.test((error as Error).name);
}

export function alreadyExists(error: unknown): boolean {
  return /AlreadyExists(Fault|Exception)?$/.test((error as Error).name);
}
