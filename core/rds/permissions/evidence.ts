import { parameterPath } from '../names';
import { arn, type Place, type Statement } from './document';

/** The instance whose jobs get permissions. */
export interface Subject extends Place {
  readonly cluster: string;
  /** Identifier of the DB instance. */
  readonly instance: string;
}

/**
 * What reading evidence takes, and no more: for previews in CI too. Instances, snapshots, automated backups and what
 * is kept of them elsewhere are listed, which AWS allows for all of a region or none.
 */
export function evidenceStatements(subject: Subject): Statement[] {
  const { cluster } = subject;
  const rds = (resource: string) => arn(subject, 'rds', resource);
  return [
    {
      sid: 'ListInstancesAndBackups',
      actions: [
        'rds:DescribeDBInstances',
        'rds:DescribeDBSnapshots',
        'rds:DescribeDBInstanceAutomatedBackups',
        'rds:ListTagsForResource',
      ],
      resources: [rds('db:*'), rds('snapshot:*'), rds('auto-backup:*')],
    },
    {
      sid: 'ListReplicatedBackups',
      actions: ['rds:DescribeDBInstanceAutomatedBackups'],
      // In whichever region they are.
      resources: [arn({ ...subject, region: '*' }, 'rds', 'auto-backup:*')],
    },
    {
      sid: 'ListRecoveryPoints',
      actions: ['backup:ListRecoveryPointsByResource'],
      // AWS knows no resource of it.
      resources: ['*'],
    },
    {
      sid: 'ReadWhatIsRemembered',
      actions: ['ssm:GetParameter', 'ssm:GetParameters', 'ssm:GetParametersByPath'],
      resources: [arn(subject, 'ssm', `parameter${parameterPath(cluster, '*')}`)],
    },
  ];
}
