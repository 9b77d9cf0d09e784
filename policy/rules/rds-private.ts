import { databaseType, isClusterInstance } from '../rds';
import { input } from '../resource';
import { defineRule, nothing, resourceViolation } from '../rule';

export const rdsPrivate = defineRule({
  name: 'rds-private',
  description: 'No database on Amazon RDS has a public address.',
  severity: 'critical',
  remediation: 'Set `publiclyAccessible: false`; reach it through the VPC, a bastion or an SSM tunnel.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html',
  enforcement: 'mandatory',
  holds: 'every environment',
  configuration: nothing,
  judgeResource(resource) {
    if (databaseType(resource) === undefined && !isClusterInstance(resource)) return [];
    if (input(resource, 'publiclyAccessible') !== true) return [];
    return [resourceViolation(resource, 'gets an address on the internet', 'set publiclyAccessible: false')];
  },
});
