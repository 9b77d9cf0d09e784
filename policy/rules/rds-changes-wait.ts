import * as z from 'zod';
import { databaseType, isClusterInstance } from '../rds';
import { input, unknownValue } from '../resource';
import { defineRule, resourceViolation } from '../rule';

export const rdsChangesWait = defineRule({
  name: 'rds-changes-wait',
  description:
    'Changes of a production database on Amazon RDS wait for its maintenance window, unless a reason is given.',
  severity: 'medium',
  remediation: 'Remove `applyImmediately`, or give the reason in the pack’s configuration.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    immediately: z
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Resources (their names in the program) that are changed at once, each with the reason.'),
  }),
  judgeResource(resource, { immediately }) {
    if (databaseType(resource) === undefined && !isClusterInstance(resource)) return [];
    const atOnce = input(resource, 'applyImmediately') ?? false;
    if (atOnce === false || atOnce === unknownValue || immediately[resource.name] !== undefined) return [];
    return [
      resourceViolation(
        resource,
        'is changed at once, restarts included, instead of in its maintenance window',
        `remove applyImmediately, or give the reason in rds-changes-wait.immediately.${resource.name} of the pack’s configuration`,
      ),
    ];
  },
});
