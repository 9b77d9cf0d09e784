import { limitsOf, stricter, type Finding, type Limits } from '../core/freshness';
import { decide } from '../core/gate';
import { judgeReading } from './evidence/reading';
import type { DeclaredStack } from './stack';
import { violation } from './rule';

/**
 * The violations of some of the gate's findings, over all clusters of the stack. What break-glass waives, and the clusters
 * that may still be without a backup, are noted for the notice.
 */
export async function backupViolations(
  stack: DeclaredStack,
  rules: readonly Finding['rule'][],
  packLimits: Partial<Limits> = {},
): Promise<string[]> {
  const clusters = Object.entries(stack.clusters);
  const judged = await Promise.all(
    clusters.map(async ([cluster, settings]) => {
      const limits = stricter(limitsOf(settings.backups), packLimits);
      const judgement = judgeReading(await stack.evidence(cluster), limits);
      return { cluster, judgement };
    }),
  );
  return judged.flatMap(({ cluster, judgement }) => {
    const { environment, breakGlass } = stack;
    const { blocking, waived } = decide({ judgement, environment, breakGlass });
    const ours = ({ rule }: Finding) => rules.includes(rule);
    const outcome = stack.outcome(cluster);
    outcome.blocking.push(...blocking.filter(ours));
    outcome.waived.push(...waived.filter(ours));
    if (judgement.letsThrough === 'first-provision' || judgement.letsThrough === 'adoption')
      outcome.beginning = judgement.letsThrough;
    return blocking.filter(ours).map(finding => violation(cluster, finding.message, finding.remedy));
  });
}
