import { arn, type Place, type Statement } from './document';
import { keyStatements } from './keys';

export interface BackupSubject extends Place {
  /** ARN of the instance. */
  readonly instance: string;
  /** ARNs of the vaults: its own, and those that get copies. */
  readonly vaults: readonly string[];
  /** ARNs of the KMS keys of the instance and of the copies. */
  readonly keys: readonly string[];
}

/**
 * What AWS Backup takes to keep snapshots of one instance: the part for RDS of AWS's own
 * AWSBackupServiceRolePolicyForBackup, for this instance alone. It names its snapshots `awsbackup:job-…`.
 * https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSBackupServiceRolePolicyForBackup.html
 */
export function awsBackupStatements(subject: BackupSubject): Statement[] {
  const rds = (resource: string) => arn(subject, 'rds', resource);
  // Copies are taken in the region that they go to.
  const snapshots = `arn:${subject.partition}:rds:*:${subject.account}:snapshot:awsbackup:*`;
  return [
    {
      sid: 'LookAtInstancesAndSnapshots',
      actions: ['rds:DescribeDBInstances', 'rds:DescribeDBSnapshots', 'rds:ListTagsForResource'],
      resources: [rds('db:*'), rds('snapshot:*'), snapshots],
    },
    {
      sid: 'TakeSnapshots',
      actions: ['rds:CreateDBSnapshot', 'rds:AddTagsToResource'],
      resources: [subject.instance, snapshots],
    },
    {
      sid: 'CopyAndDeleteItsSnapshots',
      actions: ['rds:CopyDBSnapshot', 'rds:DeleteDBSnapshot', 'rds:ModifyDBSnapshotAttribute'],
      resources: [snapshots],
    },
    {
      sid: 'FindResources',
      actions: ['tag:GetResources'],
      // It is about no resource.
      resources: ['*'],
    },
    {
      sid: 'PutIntoVaults',
      actions: ['backup:DescribeBackupVault', 'backup:CopyIntoBackupVault'],
      resources: [...subject.vaults],
    },
    ...keyStatements(subject.keys),
  ];
}
