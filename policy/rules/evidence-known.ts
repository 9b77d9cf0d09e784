import * as z from 'zod';
import { backupViolations } from '../backup-findings';
import { sources } from '../evidence/source';
import { invalidConfiguration, violation, type Rule } from '../rule';
import type { DeclaredStack } from '../stack';

const configuration = z.strictObject({
  sources: sources
    .default({})
    .describe(
      'Where the evidence of a cluster is read instead of over the stack’s own connection, by cluster: a command, or SSH.',
    ),
});

/**
 * First of all rules: it says what the stack is and where its evidence comes from. It is its own rule, because nothing can
 * be judged without settings and evidence, and because break-glass never waives that the evidence is another cluster's.
 */
export const evidenceKnown: Rule = {
  name: 'evidence-known',
  description:
    'The settings are valid, and the evidence of every cluster can be read and is of that cluster.',
  severity: 'critical',
  remediation: 'Make the cluster reachable and `holdfast status` readable; what is unknown counts as unsafe.',
  enforcement: 'mandatory',
  configuration,

  async judgeStack(stack, given) {
    const parsed = configuration.safeParse(given);
    if (!parsed.success) return [invalidConfiguration(evidenceKnown.name, parsed.error)];
    stack.useSources(parsed.data.sources);
    const declared = stack.declared();
    if (declared.state === 'invalid') return [declared.reason];
    if (declared.stack.environment === 'staging') return disguised(declared.stack);
    return backupViolations(declared.stack, ['identity', 'readable']);
  },

  judgeResource: () => [],
};

/** Production that is declared staging would pass all gates. Staging that can't be read is nobody's business here. */
async function disguised(stack: DeclaredStack): Promise<string[]> {
  const readings = await Promise.all(
    Object.keys(stack.clusters).map(async cluster => ({ cluster, reading: await stack.evidence(cluster) })),
  );
  return readings.flatMap(({ cluster, reading }) =>
    reading.state === 'read' && reading.evidence.environment === 'production'
      ? [
          violation(
            cluster,
            'it was provisioned as production, and the stack declares it staging',
            'set holdfast:environment to production',
          ),
        ]
      : [],
  );
}
