import * as z from 'zod';
import { backupViolations } from '../backup-findings';
import { limit } from '../durations';
import { defineRule } from '../rule';

export const backupVerified = defineRule({
  name: 'backup-verified',
  description:
    'A usable backup of every production cluster was restored and checked recently, within the RTO.',
  severity: 'critical',
  remediation: 'holdfast verify <cluster>',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    maximumAge: limit
      .optional()
      .describe(
        'The newest passed verification may be this old; the stack’s own limit counts where it is stricter.',
      ),
    rto: limit
      .optional()
      .describe('The measured restore may take this long; the stack’s own RTO counts where it is stricter.'),
  }),
  judgeStack: (stack, { maximumAge, rto }) =>
    backupViolations(stack, ['verified'], {
      ...(maximumAge === undefined ? {} : { verificationMaximumAge: maximumAge }),
      ...(rto === undefined ? {} : { rto }),
    }),
});
