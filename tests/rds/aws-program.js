/* One resource of every type that the provider for tests carries; overrides.json changes their arguments. */
const fs = require('node:fs');
const aws = require('@pulumi/aws');
const pulumi = require('@pulumi/pulumi');

const overrides = JSON.parse(fs.readFileSync('overrides.json', 'utf8'));
const tags = { team: 'shop' };

/** A resource, unless it is left out. */
function make(Type, name, args) {
  if (overrides[name] === null) return undefined;
  return new Type(name, { ...args, ...overrides[name] });
}

const policy = (principal, action, resource) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { Service: principal }, Action: action, Resource: resource }],
  });
const trust = principal =>
  aws.iam.getPolicyDocumentOutput({
    statements: [
      { actions: ['sts:AssumeRole'], principals: [{ type: 'Service', identifiers: [principal] }] },
    ],
  }).json;

module.exports = async () => {
  const vpc = await aws.ec2.getVpc({ default: true });
  const subnets = await aws.ec2.getSubnets({ filters: [{ name: 'vpc-id', values: [vpc.id] }] });
  const { accountId } = await aws.getCallerIdentity();
  const { partition } = await aws.getPartition();
  const { region } = await aws.getRegion();
  const root = { AWS: `arn:${partition}:iam::${accountId}:root` };

  const key = make(aws.kms.Key, 'key', {
    description: 'of the database',
    enableKeyRotation: true,
    deletionWindowInDays: 7,
    tags,
  });
  make(aws.kms.Alias, 'alias', { name: 'alias/shop', targetKeyId: key.keyId });
  make(aws.kms.KeyPolicy, 'key-policy', {
    keyId: key.keyId,
    policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Sid: 'own', Effect: 'Allow', Principal: root, Action: 'kms:*', Resource: '*' }],
    }),
  });

  const group = make(aws.ec2.SecurityGroup, 'group', { description: 'of the database', vpcId: vpc.id, tags });
  make(aws.vpc.SecurityGroupIngressRule, 'in', {
    securityGroupId: group.id,
    ipProtocol: 'tcp',
    fromPort: 5432,
    toPort: 5432,
    cidrIpv4: '10.1.0.0/16',
    description: 'the application',
  });
  make(aws.vpc.SecurityGroupEgressRule, 'out', {
    securityGroupId: group.id,
    ipProtocol: '-1',
    cidrIpv4: '10.1.0.0/16',
  });

  const topic = make(aws.sns.Topic, 'topic', {
    displayName: 'Alarms',
    kmsMasterKeyId: 'alias/aws/sns',
    tags,
  });
  make(aws.sns.TopicPolicy, 'topic-policy', {
    arn: topic.arn,
    policy: topic.arn.apply(arn => policy('events.rds.amazonaws.com', 'sns:Publish', arn)),
  });
  make(aws.sns.TopicSubscription, 'mail', {
    topic: topic.arn,
    protocol: 'email',
    endpoint: 'dba@example.com',
  });

  const subnetGroup = make(aws.rds.SubnetGroup, 'subnets', { subnetIds: subnets.ids, tags });
  const parameters = make(aws.rds.ParameterGroup, 'parameters', {
    name: 'shop-16',
    family: 'postgres16',
    parameters: [
      { name: 'rds.force_ssl', value: '1', applyMethod: 'pending-reboot' },
      { name: 'log_statement', value: 'ddl' },
    ],
    tags,
  });
  make(aws.rds.ParameterGroup, 'spare', { name: 'spare', family: 'postgres16' });
  const instance = make(aws.rds.Instance, 'instance', {
    identifier: 'shop',
    engine: 'postgres',
    engineVersion: '16',
    instanceClass: 'db.m7g.large',
    allocatedStorage: 100,
    maxAllocatedStorage: 400,
    storageType: 'gp3',
    storageEncrypted: true,
    kmsKeyId: key.arn,
    dbSubnetGroupName: subnetGroup.name,
    vpcSecurityGroupIds: [group.id],
    parameterGroupName: parameters.name,
    username: 'holdfast',
    manageMasterUserPassword: true,
    iamDatabaseAuthenticationEnabled: true,
    multiAz: true,
    backupRetentionPeriod: 14,
    backupWindow: '01:00-02:00',
    maintenanceWindow: 'sun:03:00-sun:04:00',
    copyTagsToSnapshot: true,
    deletionProtection: true,
    deleteAutomatedBackups: false,
    skipFinalSnapshot: false,
    finalSnapshotIdentifier: 'shop-final',
    performanceInsightsEnabled: true,
    enabledCloudwatchLogsExports: ['postgresql'],
    tags,
  });
  make(aws.rds.Instance, 'staging', {
    identifier: 'shop-staging',
    engine: 'postgres',
    engineVersion: '16.4',
    instanceClass: 'db.t4g.small',
    allocatedStorage: 20,
    username: 'holdfast',
    password: pulumi.secret('correct horse battery'),
    skipFinalSnapshot: true,
  });
  make(aws.rds.EventSubscription, 'events', {
    snsTopic: topic.arn,
    sourceType: 'db-instance',
    sourceIds: [instance.identifier],
    eventCategories: ['backup', 'deletion'],
    tags,
  });
  make(aws.rds.InstanceAutomatedBackupsReplication, 'replication', {
    region: 'eu-west-1',
    sourceDbInstanceArn: instance.arn,
    retentionPeriod: 14,
  });
  make(aws.cloudwatch.MetricAlarm, 'alarm', {
    comparisonOperator: 'LessThanThreshold',
    evaluationPeriods: 1,
    metricName: 'FreeStorageSpace',
    namespace: 'AWS/RDS',
    period: 300,
    statistic: 'Minimum',
    threshold: 10 * 2 ** 30,
    dimensions: { DBInstanceIdentifier: instance.identifier },
    alarmActions: [topic.arn],
    tags,
  });

  const queue = make(aws.sqs.Queue, 'queue', {
    messageRetentionSeconds: 1209600,
    sqsManagedSseEnabled: true,
    tags,
  });
  make(aws.sqs.QueuePolicy, 'queue-policy', {
    queueUrl: queue.url,
    policy: queue.arn.apply(arn => policy('scheduler.amazonaws.com', 'sqs:SendMessage', arn)),
  });
  const logs = make(aws.cloudwatch.LogGroup, 'logs', { name: '/aws/lambda/shop', retentionInDays: 30, tags });
  const role = make(aws.iam.Role, 'role', { assumeRolePolicy: trust('lambda.amazonaws.com'), tags });
  make(aws.iam.RolePolicy, 'role-policy', {
    role: role.name,
    policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'rds:Describe*', Resource: '*' }],
    }),
  });
  make(aws.iam.RolePolicyAttachment, 'attachment', {
    role: role.name,
    policyArn: 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole',
  });
  const job = make(aws.lambda.Function, 'job', {
    runtime: 'nodejs20.x',
    handler: 'index.handler',
    role: role.arn,
    code: new pulumi.asset.AssetArchive({
      'index.js': new pulumi.asset.StringAsset('exports.handler = async () => {};'),
    }),
    environment: { variables: { CLUSTER: 'shop' } },
    loggingConfig: { logFormat: 'JSON', logGroup: logs.name },
    timeout: 300,
    tags,
  });
  make(aws.lambda.FunctionEventInvokeConfig, 'invoke-config', {
    functionName: job.name,
    maximumRetryAttempts: 0,
    destinationConfig: { onFailure: { destination: queue.arn } },
  });
  make(aws.scheduler.Schedule, 'schedule', {
    scheduleExpression: 'rate(5 minutes)',
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: job.arn,
      roleArn: role.arn,
      input: JSON.stringify({ cluster: 'shop' }),
      deadLetterConfig: { arn: queue.arn },
      retryPolicy: { maximumEventAgeInSeconds: 300, maximumRetryAttempts: 1 },
    },
  });

  const vault = make(aws.backup.Vault, 'vault', { kmsKeyArn: key.arn, tags });
  make(aws.backup.VaultLockConfiguration, 'lock', {
    backupVaultName: vault.name,
    minRetentionDays: 7,
    maxRetentionDays: 90,
  });
  const plan = make(aws.backup.Plan, 'plan', {
    rules: [
      {
        ruleName: 'daily',
        targetVaultName: vault.name,
        schedule: 'cron(0 1 * * ? *)',
        lifecycle: { deleteAfter: 35 },
        copyActions: [{ destinationVaultArn: vault.arn, lifecycle: { deleteAfter: 35 } }],
      },
    ],
    tags,
  });
  make(aws.backup.Selection, 'selection', {
    planId: plan.id,
    iamRoleArn: role.arn,
    resources: [instance.arn],
  });

  make(aws.ssm.Parameter, 'parameter', {
    name: '/holdfast/shop/note',
    type: 'SecureString',
    value: pulumi.secret('said in secret'),
    tags,
  });
  const secret = make(aws.secretsmanager.Secret, 'secret', { recoveryWindowInDays: 7, tags });
  make(aws.secretsmanager.SecretVersion, 'version', {
    secretId: secret.id,
    secretString: pulumi.secret('known to nobody'),
  });

  // Past the SDK, which leaves out what it has no property for.
  if (overrides.raw) new pulumi.CustomResource('aws:sqs/queue:Queue', 'raw', overrides.raw);

  return { region, vpc: vpc.id, endpoint: instance?.endpoint };
};
