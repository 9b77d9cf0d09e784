import type { BreakGlassState } from './break-glass';
import type { Finding, Judgement } from './freshness';
import type { Environment } from './settings/stack';

/** Whether a change may go ahead, and everything that a person must be told about it. */
export interface Decision {
  readonly decision: 'allowed' | 'allowed-under-break-glass' | 'blocked';
  /** Why it is blocked, or in spite of what it is allowed; empty when there is nothing to say. */
  readonly reasons: readonly string[];
  /** The findings that block. */
  readonly blocking: readonly Finding[];
  /** The findings that break-glass waived: they are warned of loudly. */
  readonly waived: readonly Finding[];
}

/** Break-glass waives what is not known or too old; never that it could be another cluster. */
export function isWaivable(rule: Finding['rule']): boolean {
  return rule !== 'identity';
}

/** Decides whether a change of one cluster may go ahead. Staging is not held to the rules of production. */
export function decide(input: {
  readonly judgement: Judgement;
  readonly environment: Environment;
  readonly breakGlass: BreakGlassState;
}): Decision {
  const { judgement, environment, breakGlass } = input;
  const allowed = (reasons: readonly string[]): Decision => ({
    decision: 'allowed',
    reasons,
    blocking: [],
    waived: [],
  });
  if (environment === 'staging') return allowed([]);
  if (judgement.letsThrough === 'fresh') return allowed([]);
  if (judgement.letsThrough === 'first-provision')
    return allowed(['first provision: the cluster has no verified backup yet']);
  if (judgement.letsThrough === 'adoption')
    return allowed(['adoption: the cluster has no verified backup yet']);

  const failing = judgement.findings.filter(finding => finding.verdict !== 'fresh');
  if (breakGlass.state !== 'active') {
    const none = breakGlass.state === 'invalid' ? [`break-glass counts as none: ${breakGlass.reason}`] : [];
    return { decision: 'blocked', reasons: [...failing.map(say), ...none], blocking: failing, waived: [] };
  }
  const blocking = failing.filter(finding => !isWaivable(finding.rule));
  const waived = failing.filter(finding => isWaivable(finding.rule));
  const { reason, approver, expires } = breakGlass.grant;
  const grant = `break-glass until ${expires}, approved by ${approver}: ${reason}`;
  if (blocking.length > 0)
    return {
      decision: 'blocked',
      reasons: [...blocking.map(say), 'break-glass never waives the identity of a cluster'],
      blocking,
      waived,
    };
  return { decision: 'allowed-under-break-glass', reasons: [grant, ...waived.map(say)], blocking, waived };
}

function say({ rule, verdict, message, remedy }: Finding): string {
  return `${rule} is ${verdict}: ${message} → ${remedy ?? 'holdfast status'}`;
}
