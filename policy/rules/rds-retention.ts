import * as z from 'zod';
import { databaseType } from '../rds';
import { input, unknownValue } from '../resource';
import { defineRule, resourceViolation } from '../rule';

export const rdsRetention = defineRule({
  name: 'rds-retention',
  description:
    'Every database on Amazon RDS has automated backups, and with them point-in-time recovery; in production for a week or longer.',
  severity: 'critical',
  remediation: 'Set `backupRetentionPeriod`: 7 to 35 days in production, at least 1 elsewhere.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html',
  enforcement: 'mandatory',
  holds: 'every environment',
  configuration: z.strictObject({
    minimumDays: z
      .number()
      .int()
      .min(7)
      .max(35)
      .default(7)
      .describe('Days that automated backups of production are kept at least: 7 to 35.'),
  }),
  judgeResource(resource, { minimumDays }, { environment }) {
    const database = databaseType(resource);
    if (database === undefined) return [];
    const days = input(resource, 'backupRetentionPeriod') ?? database.retentionWhenUnset;
    const least = environment === 'production' ? minimumDays : 1;
    if (days === unknownValue || Number(days) >= least) return [];
    const found =
      Number(days) === 0
        ? 'has its automated backups switched off (retention of 0 days), and with them point-in-time recovery'
        : `keeps automated backups for ${Number(days)} days; at least ${least} are needed`;
    return [resourceViolation(resource, found, `set backupRetentionPeriod to ${least} or more`)];
  },
});
