import fs from 'node:fs';
import path from 'node:path';
import { catalogStatements } from '../../../../core/rds/permissions/catalog';
import { awsBackupStatements } from '../../../../core/rds/permissions/aws-backup';
import {
  policyDocument,
  topicDocument,
  trustDocument,
  type Statement,
} from '../../../../core/rds/permissions/document';
import { evidenceStatements } from '../../../../core/rds/permissions/evidence';
import { jobStatements } from '../../../../core/rds/permissions/jobs';
import { lambdaStatements, schedulerStatements } from '../../../../core/rds/permissions/lambda';

const place = { partition: 'aws', account: '111122223333', region: 'eu-central-1' };
const subject = { ...place, cluster: 'shop', instance: 'shop-db' };
const key = 'arn:aws:kms:eu-central-1:111122223333:key/one';
const queue = 'arn:aws:sqs:eu-central-1:111122223333:failed';

/** `action on resource`, one line each, with what else has to hold. */
const lines = (statements: readonly Statement[]): string[] =>
  statements.flatMap(({ effect = 'Allow', actions, resources, conditions }) =>
    actions.flatMap(action =>
      resources.map(resource =>
        [
          `${effect === 'Deny' ? 'not ' : ''}${action} on ${resource.replace(/^arn:aws:/, '')}`,
          ...(conditions === undefined ? [] : [JSON.stringify(conditions)]),
        ].join(' if '),
      ),
    ),
  );

const account = 'eu-central-1:111122223333';
const reading = [
  ...['db:*', 'snapshot:*', 'auto-backup:*'].map(it => `rds:DescribeDBInstances on rds:${account}:${it}`),
  ...['db:*', 'snapshot:*', 'auto-backup:*'].map(it => `rds:DescribeDBSnapshots on rds:${account}:${it}`),
  ...['db:*', 'snapshot:*', 'auto-backup:*'].map(
    it => `rds:DescribeDBInstanceAutomatedBackups on rds:${account}:${it}`,
  ),
  ...['db:*', 'snapshot:*', 'auto-backup:*'].map(it => `rds:ListTagsForResource on rds:${account}:${it}`),
  'rds:DescribeDBInstanceAutomatedBackups on rds:*:111122223333:auto-backup:*',
  'backup:ListRecoveryPointsByResource on *',
  `ssm:GetParameter on ssm:${account}:parameter/holdfast/shop/*`,
  `ssm:GetParameters on ssm:${account}:parameter/holdfast/shop/*`,
  `ssm:GetParametersByPath on ssm:${account}:parameter/holdfast/shop/*`,
];

test('reading evidence takes nothing that changes anything', () => {
  expect(lines(evidenceStatements(subject))).toEqual(reading);
});

test('managing databases takes the passwords of their roles, which neither evidence nor jobs may read', () => {
  const passwords = ['shop', 'shop/*'].map(it => `ssm:${account}:parameter/holdfast-credentials/${it}`);
  const ofInstance = JSON.stringify({
    StringEquals: { 'aws:ResourceTag/aws:rds:primaryDBInstanceArn': `arn:aws:rds:${account}:db:shop-db` },
  });
  const throughSecrets = JSON.stringify({
    StringEquals: { 'kms:ViaService': ['secretsmanager.eu-central-1.amazonaws.com'] },
  });
  expect(lines(catalogStatements(subject, [key]))).toEqual([
    ...passwords.map(it => `ssm:GetParametersByPath on ${it}`),
    ...passwords.map(it => `ssm:PutParameter on ${it}`),
    `secretsmanager:GetSecretValue on secretsmanager:${account}:secret:rds!db-* if ${ofInstance}`,
    ...['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKey'].map(
      action => `${action} on kms:${account}:key/one if ${throughSecrets}`,
    ),
  ]);
  expect(lines(catalogStatements(subject, [])).join()).not.toContain('kms:');
  const others = [...evidenceStatements(subject), ...jobStatements(subject, [key])];
  const parameters = others.flatMap(({ resources }) => resources).filter(it => it.includes(':parameter'));
  expect(parameters.every(it => it.includes(':parameter/holdfast/'))).toBe(true);
});

test('the unattended jobs may take snapshots, clone, finish restores, remember, and delete only their own', () => {
  const restoring = [
    'db:shop-db',
    'db:shop-db-hf-*',
    'snapshot:*',
    'auto-backup:*',
    'subgrp:*',
    'pg:*',
    'og:*',
  ].map(it => `rds:${account}:${it}`);
  const instances = ['db:shop-db', 'db:shop-db-hf-*', 'db:shop-db-aside-*'].map(it => `rds:${account}:${it}`);
  const audit = `logs:${account}:log-group:/holdfast/shop/audit`;
  const ours = '{"StringEquals":{"aws:ResourceTag/holdfast:cluster":"shop"}}';
  const clone = '{"StringEquals":{"aws:ResourceTag/holdfast:clone-of":"shop"}}';
  const secret = `{"StringLike":{"aws:ResourceTag/aws:rds:primaryDBInstanceArn":["arn:aws:rds:${account}:db:shop-db","arn:aws:rds:${account}:db:shop-db-hf-*"]}}`;
  const via =
    '{"StringEquals":{"kms:ViaService":["rds.eu-central-1.amazonaws.com","secretsmanager.eu-central-1.amazonaws.com"]}}';
  expect(lines(jobStatements(subject, [key]))).toEqual([
    ...reading,
    'rds:DescribeAccountAttributes on *',
    `rds:CreateDBSnapshot on rds:${account}:db:shop-db`,
    `rds:CreateDBSnapshot on rds:${account}:snapshot:hf-shop-*`,
    `rds:AddTagsToResource on rds:${account}:snapshot:* if {"ForAllValues:StringLike":{"aws:TagKeys":["holdfast:*"]}}`,
    `rds:DeleteDBSnapshot on rds:${account}:snapshot:hf-shop-* if ${ours}`,
    ...restoring.map(it => `rds:RestoreDBInstanceFromDBSnapshot on ${it}`),
    ...restoring.map(it => `rds:RestoreDBInstanceToPointInTime on ${it}`),
    ...instances.map(it => `rds:ModifyDBInstance on ${it}`),
    ...instances.map(it => `rds:RebootDBInstance on ${it}`),
    ...instances.map(it => `rds:AddTagsToResource on ${it}`),
    ...instances.map(it => `rds:RemoveTagsFromResource on ${it}`),
    `rds:DeleteDBInstance on rds:${account}:db:shop-db-hf-* if ${clone}`,
    `ssm:PutParameter on ssm:${account}:parameter/holdfast/shop/*`,
    `ssm:DeleteParameter on ssm:${account}:parameter/holdfast/shop/*`,
    `not ssm:PutParameter on ssm:${account}:parameter/holdfast/shop/specification`,
    `not ssm:DeleteParameter on ssm:${account}:parameter/holdfast/shop/specification`,
    `secretsmanager:GetSecretValue on secretsmanager:${account}:secret:rds!db-* if ${secret}`,
    `secretsmanager:CreateSecret on secretsmanager:${account}:secret:rds!db-*`,
    `secretsmanager:TagResource on secretsmanager:${account}:secret:rds!db-*`,
    `kms:Decrypt on kms:${account}:key/one if ${via}`,
    `kms:DescribeKey on kms:${account}:key/one if ${via}`,
    `kms:GenerateDataKey on kms:${account}:key/one if ${via}`,
    `kms:CreateGrant on kms:${account}:key/one if {"Bool":{"kms:GrantIsForAWSResource":"true"}}`,
    ...['CreateLogGroup', 'CreateLogStream', 'PutLogEvents'].flatMap(action => [
      `logs:${action} on ${audit}`,
      `logs:${action} on ${audit}:*`,
    ]),
  ]);
});

/** What the engine asks AWS for: the commands and paginators that it imports, as actions of IAM. */
function askedByTheEngine(): string[] {
  const engine = path.join(__dirname, '../../../../engines/rds');
  const services: Readonly<Record<string, string>> = {
    'secrets-manager': 'secretsmanager',
    'cloudwatch-logs': 'logs',
  };
  const files = fs.readdirSync(engine, { recursive: true, encoding: 'utf8' });
  const text = files
    .filter(name => name.endsWith('.ts'))
    .map(name => fs.readFileSync(path.join(engine, name), 'utf8'))
    .join('\n');
  const imports = text.matchAll(/import \{([^}]*)\} from '@aws-sdk\/client-([a-z-]+)'/g);
  return [...imports].flatMap(([, names = '', client = '']) =>
    names.split(',').flatMap(name => {
      const [, command, paginated] = /^(?:(\w+)Command|paginate(\w+))$/.exec(name.trim()) ?? [];
      const action = command ?? paginated;
      return action === undefined ? [] : [`${services[client] ?? client}:${action}`];
    }),
  );
}

test('the jobs may do all that the engine asks for, and nothing more than that takes', () => {
  const asked = new Set(askedByTheEngine());
  expect(asked.size).toBeGreaterThan(15);
  const allowed = new Set(jobStatements(subject, [key]).flatMap(({ actions }) => actions));
  expect([...asked].filter(action => !allowed.has(action))).toEqual([]);
  const others = [...allowed].filter(action => !asked.has(action) && !action.startsWith('logs:'));
  expect(others).toEqual([
    // The tags that describing shows.
    'rds:ListTagsForResource',
    // What RDS does on behalf of who restores.
    'secretsmanager:CreateSecret',
    'secretsmanager:TagResource',
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:GenerateDataKey',
    'kms:CreateGrant',
  ]);
});

test('no key is named where AWS’s own encrypt', () => {
  expect(lines(jobStatements(subject, [])).filter(line => line.includes('kms'))).toEqual([]);
});

test('a Lambda writes its own log and hands failed calls over', () => {
  expect(lines(lambdaStatements({ ...place, cluster: 'shop', queue, inVpc: false }))).toEqual([
    `logs:CreateLogStream on logs:${account}:log-group:/holdfast/shop/run-due:*`,
    `logs:PutLogEvents on logs:${account}:log-group:/holdfast/shop/run-due:*`,
    `sqs:SendMessage on sqs:${account}:failed`,
  ]);
});

test('in the VPC it has an interface in the network, too', () => {
  expect(lines(lambdaStatements({ ...place, cluster: 'shop', queue, inVpc: true })).slice(3)).toEqual([
    'ec2:DescribeNetworkInterfaces on *',
    'ec2:DescribeSubnets on *',
    `ec2:CreateNetworkInterface on ec2:${account}:*/*`,
    `ec2:DeleteNetworkInterface on ec2:${account}:*/*`,
    `ec2:AssignPrivateIpAddresses on ec2:${account}:*/*`,
    `ec2:UnassignPrivateIpAddresses on ec2:${account}:*/*`,
  ]);
});

test('the scheduler may call the one Lambda', () => {
  expect(lines(schedulerStatements('arn:aws:lambda:x', queue))).toEqual([
    'lambda:InvokeFunction on lambda:x',
    `sqs:SendMessage on sqs:${account}:failed`,
  ]);
});

test('AWS Backup may snapshot the one instance, and handle its own snapshots', () => {
  const instance = `arn:aws:rds:${account}:db:shop-db`;
  const vault = `arn:aws:backup:${account}:backup-vault:one`;
  const snapshots = 'rds:*:111122223333:snapshot:awsbackup:*';
  const listed = [`rds:${account}:db:*`, `rds:${account}:snapshot:*`, snapshots];
  expect(lines(awsBackupStatements({ ...place, instance, vaults: [vault], keys: [key] }))).toEqual([
    ...['DescribeDBInstances', 'DescribeDBSnapshots', 'ListTagsForResource'].flatMap(action =>
      listed.map(it => `rds:${action} on ${it}`),
    ),
    `rds:CreateDBSnapshot on rds:${account}:db:shop-db`,
    `rds:CreateDBSnapshot on ${snapshots}`,
    `rds:AddTagsToResource on rds:${account}:db:shop-db`,
    `rds:AddTagsToResource on ${snapshots}`,
    `rds:CopyDBSnapshot on ${snapshots}`,
    `rds:DeleteDBSnapshot on ${snapshots}`,
    `rds:ModifyDBSnapshotAttribute on ${snapshots}`,
    'tag:GetResources on *',
    `backup:DescribeBackupVault on backup:${account}:backup-vault:one`,
    `backup:CopyIntoBackupVault on backup:${account}:backup-vault:one`,
    `kms:Decrypt on kms:${account}:key/one`,
    `kms:DescribeKey on kms:${account}:key/one`,
    `kms:GenerateDataKey on kms:${account}:key/one`,
    `kms:CreateGrant on kms:${account}:key/one if {"Bool":{"kms:GrantIsForAWSResource":"true"}}`,
  ]);
});

describe('a document', () => {
  test('says of each statement what it allows', () => {
    const statements: Statement[] = [
      { sid: 'One', actions: ['a:B'], resources: ['arn'] },
      {
        sid: 'Two',
        effect: 'Deny',
        actions: ['a:C'],
        resources: ['arn'],
        conditions: { Bool: { x: 'true' } },
      },
    ];
    expect(JSON.parse(policyDocument(statements))).toEqual({
      Version: '2012-10-17',
      Statement: [
        { Sid: 'One', Effect: 'Allow', Action: ['a:B'], Resource: ['arn'] },
        {
          Sid: 'Two',
          Effect: 'Deny',
          Action: ['a:C'],
          Resource: ['arn'],
          Condition: { Bool: { x: 'true' } },
        },
      ],
    });
  });

  test('of trust names a service that acts for this account', () => {
    expect(JSON.parse(trustDocument('lambda.amazonaws.com', place))).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'lambda.amazonaws.com' },
          Action: 'sts:AssumeRole',
          Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
        },
      ],
    });
  });

  test('of a topic lets alarms and events of this account publish', () => {
    const { Statement: statements } = JSON.parse(topicDocument('arn:topic', place)) as {
      Statement: { Principal: unknown }[];
    };
    expect(statements).toEqual(
      ['cloudwatch.amazonaws.com', 'events.rds.amazonaws.com'].map(Service => ({
        Effect: 'Allow',
        Principal: { Service },
        Action: 'sns:Publish',
        Resource: 'arn:topic',
        Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } },
      })),
    );
  });

  test('has no wildcard for a resource but where AWS knows none', () => {
    const all = [
      ...jobStatements(subject, [key]),
      ...catalogStatements(subject, [key]),
      ...lambdaStatements({ ...place, cluster: 'shop', queue, inVpc: true }),
      ...awsBackupStatements({ ...place, instance: 'arn:i', vaults: ['arn:v'], keys: [key] }),
    ];
    const wild = all.filter(({ resources }) => resources.includes('*')).map(({ actions }) => actions);
    expect(wild).toEqual([
      ['backup:ListRecoveryPointsByResource'],
      ['rds:DescribeAccountAttributes'],
      ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'],
      ['tag:GetResources'],
    ]);
  });
});
