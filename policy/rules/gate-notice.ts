import { defineRule, nothing } from '../rule';

/** Last of the rules that judge the root resource: it says what the others let through. */
export const gateNotice = defineRule({
  name: 'gate-notice',
  description: 'What the backup rules let through, and why.',
  severity: 'high',
  remediation: 'Take the missing backup; remove holdfast:breakGlass from the stack file when it is over.',
  enforcement: 'advisory',
  holds: 'production',
  configuration: nothing,
  judgeStack(stack) {
    const { breakGlass, waived, beginnings } = stack;
    const notices = [...beginnings].map(
      ([cluster, state]) =>
        `cluster ${cluster}: ${state === 'adoption' ? 'adoption' : 'first provision'}: it may change without a verified backup until it has its first`,
    );
    if (breakGlass.state === 'invalid') notices.push(`BREAK-GLASS counts as none: ${breakGlass.reason}`);
    if (breakGlass.state === 'active') {
      const { reason, approver, expires } = breakGlass.grant;
      notices.push(
        `BREAK-GLASS IS IN FORCE until ${expires}, approved by ${approver}: ${reason}`,
        ...waived.map(
          ({ cluster, finding }) =>
            `BREAK-GLASS waives for cluster ${cluster}: ${finding.rule} is ${finding.verdict}: ${finding.message}`,
        ),
      );
      if (waived.length === 0) notices.push('BREAK-GLASS waives nothing now: remove it');
    }
    return notices;
  },
});
