import { databaseType } from '../rds';
import { input, isSet } from '../resource';
import { defineRule, nothing, resourceViolation } from '../rule';

export const rdsFinalSnapshot = defineRule({
  name: 'rds-final-snapshot',
  description: 'A production database on Amazon RDS leaves a final snapshot when it is deleted.',
  severity: 'critical',
  remediation:
    'Set `skipFinalSnapshot: false`, and `finalSnapshotIdentifier` to a name that no snapshot has.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_DeleteInstance.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: nothing,
  judgeResource(resource) {
    if (databaseType(resource) === undefined) return [];
    if (input(resource, 'skipFinalSnapshot') === true)
      return [
        resourceViolation(
          resource,
          'would be deleted without a final snapshot',
          'set skipFinalSnapshot: false, and finalSnapshotIdentifier',
        ),
      ];
    if (isSet(resource, 'finalSnapshotIdentifier')) return [];
    return [
      resourceViolation(
        resource,
        'has no name for its final snapshot: it could be deleted only without one',
        'set finalSnapshotIdentifier to a name that no snapshot has',
      ),
    ];
  },
});
