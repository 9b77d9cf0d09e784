import { formatDuration } from './durations';
import type { Instant } from './evidence';
import { breakGlass, type BreakGlass } from './settings/stack';
import { secondsBetween } from './time';

/** What a stack's break-glass setting is worth now; `invalid` counts as none, and says why. */
export type BreakGlassState =
  | { readonly state: 'none' }
  | { readonly state: 'invalid'; readonly reason: string }
  | { readonly state: 'active'; readonly grant: BreakGlass; readonly remainingSeconds: number };

/**
 * Assesses a break-glass setting as it stands in the stack file. It is valid from `issued` until before `expires`, at most
 * 24 h later. Whatever is incomplete, expired or issued in the future counts as none.
 */
export function assessBreakGlass(raw: unknown, now: Instant): BreakGlassState {
  if (raw === undefined || raw === null) return { state: 'none' };
  const parsed = breakGlass.safeParse(withQuotedTimes(raw));
  if (!parsed.success) {
    const reasons = parsed.error.issues.map(issue => {
      const key = issue.path.join('.');
      return key === '' ? issue.message : `${key}: ${issue.message}`;
    });
    return { state: 'invalid', reason: `it is incomplete: ${reasons.join('; ')}` };
  }
  const grant = parsed.data;
  const sinceIssued = secondsBetween(grant.issued, now);
  if (!(sinceIssued >= 0))
    return { state: 'invalid', reason: `it is issued in the future (${grant.issued}; now it is ${now})` };
  const remainingSeconds = secondsBetween(now, grant.expires);
  if (remainingSeconds <= 0)
    return {
      state: 'invalid',
      reason: `it expired ${formatDuration(-remainingSeconds)} ago (${grant.expires})`,
    };
  return { state: 'active', grant, remainingSeconds };
}

const goTime = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d\d)(\d\d) \S+$/;

/** A time that isn't quoted in the stack file reaches us as Go prints it: YAML has a type of its own for it. */
function withQuotedTimes(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return raw;
  const quoted = (value: unknown) =>
    typeof value === 'string' ? value.replace(goTime, '$1T$2$3:$4') : value;
  return Object.fromEntries(
    Object.entries(raw).map(([key, value]) => [
      key,
      key === 'issued' || key === 'expires' ? quoted(value) : (value as unknown),
    ]),
  );
}
