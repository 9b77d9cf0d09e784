import { databaseType } from '../rds';
import { input, unknownValue } from '../resource';
import { defineRule, nothing, resourceViolation } from '../rule';

export const rdsDeletionProtected = defineRule({
  name: 'rds-deletion-protected',
  description: 'Amazon RDS itself refuses to delete a production database.',
  severity: 'critical',
  remediation: 'Set `deletionProtection: true`.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: nothing,
  judgeResource(resource) {
    if (databaseType(resource) === undefined) return [];
    const protection = input(resource, 'deletionProtection');
    if (protection === true || protection === unknownValue) return [];
    return [
      resourceViolation(
        resource,
        'can be deleted with one call: RDS doesn’t protect it',
        'set deletionProtection: true',
      ),
    ];
  },
});
