import * as z from 'zod';
import { backupViolations } from '../backup-findings';
import { limit } from '../durations';
import { defineRule } from '../rule';

export const backupRestorable = defineRule({
  name: 'backup-restorable',
  description:
    'WAL archiving works, no WAL is missing since the newest usable backup, and no change waits longer than the RPO.',
  severity: 'critical',
  remediation: 'holdfast status <cluster> says what archiving waits for; a gap is closed by a full backup.',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    rpo: limit
      .optional()
      .describe(
        'The oldest change that is not archived may be this old; the stack’s own RPO counts where it is stricter.',
      ),
  }),
  judgeStack: (stack, { rpo }) => backupViolations(stack, ['restorable'], rpo === undefined ? {} : { rpo }),
});
