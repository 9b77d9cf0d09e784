import type { Evidence } from '../../../core/evidence';
import type { Rule } from '../../../policy/rule';
import { backupRecent } from '../../../policy/rules/backup-recent';
import { backupRestorable } from '../../../policy/rules/backup-restorable';
import { backupVerified } from '../../../policy/rules/backup-verified';
import { evidenceKnown } from '../../../policy/rules/evidence-known';
import { gateNotice } from '../../../policy/rules/gate-notice';
import { production, stackOf, type StackOptions } from './fixtures';

/** The rules that judge evidence, in the pack's order. */
export const blocking: readonly Rule[] = [evidenceKnown, backupRecent, backupRestorable, backupVerified];

/** What every blocking rule and the notice say, on one stack, in the pack's order. */
export async function gate(options: StackOptions) {
  const stack = stackOf(options);
  const said: Record<string, readonly string[]> = {};
  for (const rule of [...blocking, gateNotice]) {
    const violations = await rule.judgeStack(stack, {});
    if (violations.length > 0) said[rule.name] = violations;
  }
  return said;
}

/** What they say of the cluster shop. */
export const gateOf = (evidence: Evidence, raw: Readonly<Record<string, unknown>> = production) =>
  gate({ raw, evidence: { shop: () => evidence } });
