import * as z from 'zod';
import { clusterOf, databaseType, isClusterInstance } from '../rds';
import { input, unknownValue, type Resource } from '../resource';
import { defineRule, resourceViolation } from '../rule';
import type { DeclaredStack } from '../stack';

export const rdsChangesWait = defineRule({
  name: 'rds-changes-wait',
  description:
    'Changes of a production database on Amazon RDS wait for its maintenance window, unless something else is said.',
  severity: 'medium',
  remediation:
    'Remove `applyImmediately`, or say it: in the cluster’s settings, or with a reason in the pack’s configuration.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    immediately: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Resources (their names in the program) that are changed at once, each with the reason.'),
  }),
  judgeResource(resource, { immediately }, stack) {
    if (databaseType(resource) === undefined && !isClusterInstance(resource)) return [];
    const atOnce = input(resource, 'applyImmediately') ?? false;
    if (atOnce === false || atOnce === unknownValue) return [];
    if (immediately[resource.name] !== undefined || isSaid(resource, stack)) return [];
    return [
      resourceViolation(
        resource,
        'is changed at once, restarts included, instead of in its maintenance window',
        `remove applyImmediately, or give the reason in rds-changes-wait.immediately.${resource.name} of the pack’s configuration`,
      ),
    ];
  },
});

/** Whether the stack's own settings of the cluster say so, for this one update. */
function isSaid(resource: Resource, stack: DeclaredStack): boolean {
  const source = clusterOf(resource, stack)?.settings.source;
  return source?.mode === 'managed' && source.applyImmediately;
}
