import * as pulumi from '@pulumi/pulumi';
import type { BreakGlassState } from '../core/break-glass';
import { formatDuration } from '../core/durations';

/** Says loudly, in every preview and update, that the rules are waived, or that an attempt to waive them counts as none. */
export async function announceBreakGlass(state: BreakGlassState): Promise<void> {
  const text = breakGlassWarning(state);
  if (text !== undefined) await pulumi.log.warn(text);
}

export function breakGlassWarning(state: BreakGlassState): string | undefined {
  switch (state.state) {
    case 'none':
      return undefined;
    case 'invalid':
      return `BREAK-GLASS COUNTS AS NONE: ${state.reason}. The rules apply as ever.`;
    case 'active': {
      const { reason, approver, expires } = state.grant;
      const left = formatDuration(state.remainingSeconds);
      return `BREAK-GLASS IS ACTIVE until ${expires} (${left} left): changes go ahead without the backups that production demands. Reason: ${reason}. Approved by: ${approver}.`;
    }
  }
}
