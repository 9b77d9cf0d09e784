import * as z from 'zod';
import { backupViolations } from '../backup-findings';
import { limit } from '../durations';
import { defineRule } from '../rule';

export const backupRecent = defineRule({
  name: 'backup-recent',
  description: 'Every production cluster has a usable backup that is not too old.',
  severity: 'critical',
  remediation: 'holdfast backup <cluster>',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    maximumAge: limit
      .optional()
      .describe(
        'The newest usable backup may be this old; the stack’s own limit counts where it is stricter.',
      ),
  }),
  judgeStack: (stack, { maximumAge }) =>
    backupViolations(stack, ['recent'], maximumAge === undefined ? {} : { maximumAge }),
});
