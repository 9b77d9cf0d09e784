import { HoldfastError } from '../core/errors';
import type { Applied, ClusterAccess } from '../core/host-documents';

/** What `host apply` printed. @throws HoldfastError when it is something else; what was printed is secret and never shown. */
export const parseApplied = (stdout: string): Applied => parsed(stdout, isApplied);

/** The same of what every engine prints of it. */
export const parseAccess = (stdout: string): ClusterAccess => parsed(stdout, isAccess);

function parsed<A extends ClusterAccess>(stdout: string, is: (document: Partial<A>) => document is A): A {
  let document: Partial<A> | null;
  try {
    document = JSON.parse(stdout) as Partial<A> | null;
  } catch {
    // The parser's message would quote what was printed.
    document = null;
  }
  if (document !== null && is(document)) return document;
  throw new HoldfastError('engine-failed', 'host apply printed something else than what it applied', {
    hint: 'Is the program on the cluster’s machine that of this checkout? `pulumi up` installs it.',
  });
}

function isApplied(document: Partial<Applied>): document is Applied {
  return typeof document.cluster === 'string' && typeof document.stanza === 'string' && isAccess(document);
}

function isAccess(document: Partial<ClusterAccess>): document is ClusterAccess {
  return (
    typeof document.endpoint?.host === 'string' &&
    typeof document.endpoint.port === 'number' &&
    typeof document.provider?.password === 'string' &&
    typeof document.roles === 'object'
  );
}
