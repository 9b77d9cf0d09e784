import { HoldfastError } from '../core/errors';
import type { Applied } from '../core/host-documents';

/** What `host apply` printed. @throws HoldfastError when it is something else; what was printed is secret and never shown. */
export function parseApplied(stdout: string): Applied {
  let document: Partial<Applied> | null;
  try {
    document = JSON.parse(stdout) as Partial<Applied> | null;
  } catch {
    // The parser's message would quote what was printed.
    document = null;
  }
  if (isApplied(document)) return document;
  throw new HoldfastError('engine-failed', 'host apply printed something else than what it applied', {
    hint: 'Is the program on the cluster’s machine that of this checkout? `pulumi up` installs it.',
  });
}

function isApplied(document: Partial<Applied> | null): document is Applied {
  return (
    typeof document?.cluster === 'string' &&
    typeof document.endpoint?.host === 'string' &&
    typeof document.endpoint.port === 'number' &&
    typeof document.stanza === 'string' &&
    typeof document.provider?.password === 'string' &&
    typeof document.roles === 'object'
  );
}
