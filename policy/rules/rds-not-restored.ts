import * as z from 'zod';
import { databaseType } from '../rds';
import { isSet } from '../resource';
import { defineRule, resourceViolation } from '../rule';

export const rdsNotRestored = defineRule({
  name: 'rds-not-restored',
  description: 'No production database on Amazon RDS that serves is declared as a copy of something else.',
  severity: 'critical',
  remediation:
    'Restore beside it with `holdfast restore` or `holdfast clone`: a source that changes in the program makes the database anew.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RestoreFromSnapshot.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    copies: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Resources (their names in the program) that are copies beside the one that serves: a read replica, a clone to look at.',
      ),
  }),
  judgeResource(resource, { copies }) {
    if (copies.includes(resource.name)) return [];
    const sources = databaseType(resource)?.restoreSources.filter(source => isSet(resource, source)) ?? [];
    if (sources.length === 0) return [];
    return [
      resourceViolation(
        resource,
        `is made from something else (${sources.join(', ')}): when that changes, it is replaced, and what was written since is lost`,
        `remove ${sources.join(', ')}; of a copy that doesn’t serve, name it in rds-not-restored.copies of the pack’s configuration`,
      ),
    ];
  },
});
