import { canRetainBackups } from '../rds';
import { input, unknownValue } from '../resource';
import { defineRule, nothing, resourceViolation } from '../rule';

export const rdsBackupsOutlive = defineRule({
  name: 'rds-backups-outlive',
  description: 'The automated backups of a production database on Amazon RDS outlive it.',
  severity: 'high',
  remediation: 'Set `deleteAutomatedBackups: false`.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.Retaining.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: nothing,
  judgeResource(resource) {
    if (!canRetainBackups(resource)) return [];
    const deleted = input(resource, 'deleteAutomatedBackups');
    if (deleted === false || deleted === unknownValue) return [];
    return [
      resourceViolation(
        resource,
        'would take its automated backups with it when it is deleted',
        'set deleteAutomatedBackups: false (RDS deletes them when nothing is said)',
      ),
    ];
  },
});
