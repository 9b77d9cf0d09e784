import type { BreakGlassState } from '../../core/break-glass';
import type { Finding } from '../../core/freshness';
import type { GateDecision } from '../../core/host-documents';
import { defineRule, nothing } from '../rule';
import type { Outcome } from '../stack';

/** Last of the rules that judge the root resource: it says what the others let through, and has it written down. */
export const gateNotice = defineRule({
  name: 'gate-notice',
  description: 'What the backup rules let through, and why.',
  severity: 'high',
  remediation: 'Take the missing backup; remove holdfast:breakGlass from the stack file when it is over.',
  enforcement: 'advisory',
  holds: 'production',
  configuration: nothing,
  async judgeStack(stack) {
    const { breakGlass } = stack;
    const outcomes = Object.keys(stack.clusters).map(cluster => ({
      cluster,
      outcome: stack.outcome(cluster),
    }));
    const unrecorded = await Promise.all(
      outcomes.map(async ({ cluster, outcome }) => {
        const problem = await stack.record(cluster, decisionOf(outcome, breakGlass));
        return problem === null
          ? []
          : [`cluster ${cluster}: what was decided is not in its audit log: ${problem}`];
      }),
    );
    const beginnings = outcomes.flatMap(({ cluster, outcome: { beginning } }) =>
      beginning === null
        ? []
        : [
            `cluster ${cluster}: ${said[beginning]}: it may change without a verified backup until it has its first`,
          ],
    );
    const waived = outcomes.flatMap(({ cluster, outcome }) =>
      outcome.waived.map(finding => `BREAK-GLASS waives for cluster ${cluster}: ${describe(finding)}`),
    );
    return [...beginnings, ...noticesOf(breakGlass, waived), ...unrecorded.flat()];
  },
});

const said = { 'first-provision': 'first provision', adoption: 'adoption' } as const;

function noticesOf(breakGlass: BreakGlassState, waived: readonly string[]): string[] {
  if (breakGlass.state === 'invalid') return [`BREAK-GLASS counts as none: ${breakGlass.reason}`];
  if (breakGlass.state === 'none') return [];
  const { reason, approver, expires } = breakGlass.grant;
  return [
    `BREAK-GLASS IS IN FORCE until ${expires}, approved by ${approver}: ${reason}`,
    ...(waived.length > 0 ? waived : ['BREAK-GLASS waives nothing now: remove it']),
  ];
}

function decisionOf({ beginning, blocking, waived }: Outcome, breakGlass: BreakGlassState): GateDecision {
  if (blocking.length > 0) return { decision: 'blocked', reasons: blocking.map(describe) };
  if (waived.length > 0 && breakGlass.state === 'active') {
    const { reason, approver } = breakGlass.grant;
    const grant = `break-glass, approved by ${approver}: ${reason}`;
    return { decision: 'allowed-under-break-glass', reasons: [grant, ...waived.map(describe)] };
  }
  return { decision: 'allowed', reasons: beginning === null ? [] : [said[beginning]] };
}

const describe = ({ rule, verdict, message }: Finding): string => `${rule} is ${verdict}: ${message}`;
