import { databaseType } from '../rds';
import { input, unknownValue } from '../resource';
import { defineRule, nothing, resourceViolation } from '../rule';

export const rdsEncrypted = defineRule({
  name: 'rds-encrypted',
  description: 'Every database on Amazon RDS is encrypted, and so are its backups.',
  severity: 'critical',
  remediation:
    'Set `storageEncrypted: true`. An existing database becomes so by restoring an encrypted copy of a snapshot.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.Encryption.html',
  enforcement: 'mandatory',
  holds: 'every environment',
  configuration: nothing,
  judgeResource(resource) {
    if (databaseType(resource) === undefined) return [];
    const encrypted = input(resource, 'storageEncrypted');
    if (encrypted === true || encrypted === unknownValue) return [];
    return [
      resourceViolation(
        resource,
        'is not encrypted, nor are its backups',
        'set storageEncrypted: true; of an existing one that makes a new and empty database: restore an encrypted copy of a snapshot instead',
      ),
    ];
  },
});
