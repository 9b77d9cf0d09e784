import {
  besidePrefix,
  logGroupName,
  parameterPath,
  snapshotPrefix,
  specificationParameter,
  tagKeys,
} from '../names';
import { arn, type Statement } from './document';
import { evidenceStatements, type Subject } from './evidence';
import { keyStatements } from './keys';

/**
 * What the unattended jobs take: evidence, snapshots, clones, the end of a restore that was interrupted, and what they remember.
 * They can delete nothing but what Holdfast made and tagged as theirs, and can't change what the cluster shall be.
 * @param keys ARNs of the KMS keys of storage and master secret
 */
export function jobStatements(subject: Subject, keys: readonly string[]): Statement[] {
  return [
    ...evidenceStatements(subject),
    ...snapshotStatements(subject),
    ...cloneStatements(subject),
    ...memoryStatements(subject),
    ...secretStatements(subject, keys),
    auditStatement(subject),
  ];
}

function snapshotStatements(subject: Subject): Statement[] {
  const { cluster, instance } = subject;
  const rds = (resource: string) => arn(subject, 'rds', resource);
  const own = rds(`snapshot:${snapshotPrefix(cluster)}*`);
  return [
    {
      sid: 'AskForTheQuota',
      actions: ['rds:DescribeAccountAttributes'],
      // It is about no resource.
      resources: ['*'],
    },
    {
      sid: 'TakeSnapshots',
      actions: ['rds:CreateDBSnapshot'],
      resources: [rds(`db:${instance}`), own],
    },
    {
      sid: 'WriteOnSnapshots',
      actions: ['rds:AddTagsToResource'],
      // A snapshot that somebody else took is joined and verified, too.
      resources: [rds('snapshot:*')],
      conditions: { 'ForAllValues:StringLike': { 'aws:TagKeys': ['holdfast:*'] } },
    },
    {
      sid: 'PruneOwnSnapshots',
      actions: ['rds:DeleteDBSnapshot'],
      resources: [own],
      conditions: { StringEquals: { [`aws:ResourceTag/${tagKeys.cluster}`]: cluster } },
    },
  ];
}

function cloneStatements(subject: Subject): Statement[] {
  const { cluster, instance } = subject;
  const rds = (resource: string) => arn(subject, 'rds', resource);
  const serving = rds(`db:${instance}`);
  const clones = rds(`db:${besidePrefix(instance, 'hf')}*`);
  const aside = rds(`db:${besidePrefix(instance, 'aside')}*`);
  return [
    {
      sid: 'RestoreBeside',
      actions: ['rds:RestoreDBInstanceFromDBSnapshot', 'rds:RestoreDBInstanceToPointInTime'],
      // In the groups of the instance, whichever these are when it is cloned.
      resources: [
        serving,
        clones,
        rds('snapshot:*'),
        rds('auto-backup:*'),
        rds('subgrp:*'),
        rds('pg:*'),
        rds('og:*'),
      ],
    },
    {
      sid: 'FinishRestores',
      actions: [
        'rds:ModifyDBInstance',
        'rds:RebootDBInstance',
        'rds:AddTagsToResource',
        'rds:RemoveTagsFromResource',
      ],
      resources: [serving, clones, aside],
    },
    {
      sid: 'DropOwnClones',
      actions: ['rds:DeleteDBInstance'],
      resources: [clones],
      conditions: { StringEquals: { [`aws:ResourceTag/${tagKeys.cloneOf}`]: cluster } },
    },
  ];
}

function memoryStatements(subject: Subject): Statement[] {
  const parameter = (name: string) => arn(subject, 'ssm', `parameter${parameterPath(subject.cluster, name)}`);
  const actions = ['ssm:PutParameter', 'ssm:DeleteParameter'];
  return [
    { sid: 'Remember', actions, resources: [parameter('*')] },
    {
      sid: 'NeverWhatTheClusterShallBe',
      effect: 'Deny',
      actions,
      resources: [parameter(specificationParameter)],
    },
  ];
}

/** RDS makes the master secret of a clone on behalf of who restores it, and names and tags it after its instance. */
function secretStatements(subject: Subject, keys: readonly string[]): Statement[] {
  const { instance, region } = subject;
  const secrets = arn(subject, 'secretsmanager', 'secret:rds!db-*');
  return [
    {
      sid: 'ReadMasterSecrets',
      actions: ['secretsmanager:GetSecretValue'],
      resources: [secrets],
      conditions: {
        StringLike: {
          'aws:ResourceTag/aws:rds:primaryDBInstanceArn': [
            arn(subject, 'rds', `db:${instance}`),
            arn(subject, 'rds', `db:${besidePrefix(instance, 'hf')}*`),
          ],
        },
      },
    },
    {
      sid: 'MakeMasterSecretsOfClones',
      actions: ['secretsmanager:CreateSecret', 'secretsmanager:TagResource'],
      resources: [secrets],
    },
    ...keyStatements(keys, [`rds.${region}.amazonaws.com`, `secretsmanager.${region}.amazonaws.com`]),
  ];
}

function auditStatement(subject: Subject): Statement {
  const group = arn(subject, 'logs', `log-group:${logGroupName(subject.cluster, 'audit')}`);
  return {
    sid: 'WriteTheAuditLog',
    actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
    resources: [group, `${group}:*`],
  };
}
