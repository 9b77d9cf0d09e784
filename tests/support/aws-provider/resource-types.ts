import type { ResourceType } from './resource-type';
import * as backup from './types/backup';
import * as cloudwatch from './types/cloudwatch';
import * as ec2 from './types/ec2';
import * as iam from './types/iam';
import * as kms from './types/kms';
import * as lambda from './types/lambda';
import * as rds from './types/rds';
import { instance } from './types/rds-instance';
import * as scheduler from './types/scheduler';
import * as secretsmanager from './types/secretsmanager';
import * as sns from './types/sns';
import * as sqs from './types/sqs';
import * as ssm from './types/ssm';

/** Every type that is carried, by its token. */
export const resourceTypes: Readonly<Record<string, ResourceType>> = {
  'aws:backup/plan:Plan': backup.plan,
  'aws:backup/selection:Selection': backup.selection,
  'aws:backup/vault:Vault': backup.vault,
  'aws:backup/vaultLockConfiguration:VaultLockConfiguration': backup.vaultLockConfiguration,
  'aws:cloudwatch/logGroup:LogGroup': cloudwatch.logGroup,
  'aws:cloudwatch/metricAlarm:MetricAlarm': cloudwatch.metricAlarm,
  'aws:ec2/securityGroup:SecurityGroup': ec2.securityGroup,
  'aws:iam/role:Role': iam.role,
  'aws:iam/rolePolicy:RolePolicy': iam.rolePolicy,
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment': iam.rolePolicyAttachment,
  'aws:kms/alias:Alias': kms.alias,
  'aws:kms/key:Key': kms.key,
  'aws:kms/keyPolicy:KeyPolicy': kms.keyPolicy,
  'aws:lambda/function:Function': lambda.lambdaFunction,
  'aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig': lambda.functionEventInvokeConfig,
  'aws:rds/eventSubscription:EventSubscription': rds.eventSubscription,
  'aws:rds/instance:Instance': instance,
  'aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication':
    rds.instanceAutomatedBackupsReplication,
  'aws:rds/parameterGroup:ParameterGroup': rds.parameterGroup,
  'aws:rds/subnetGroup:SubnetGroup': rds.subnetGroup,
  'aws:scheduler/schedule:Schedule': scheduler.schedule,
  'aws:secretsmanager/secret:Secret': secretsmanager.secret,
  'aws:secretsmanager/secretVersion:SecretVersion': secretsmanager.secretVersion,
  'aws:sns/topic:Topic': sns.topic,
  'aws:sns/topicPolicy:TopicPolicy': sns.topicPolicy,
  'aws:sns/topicSubscription:TopicSubscription': sns.topicSubscription,
  'aws:sqs/queue:Queue': sqs.queue,
  'aws:sqs/queuePolicy:QueuePolicy': sqs.queuePolicy,
  'aws:ssm/parameter:Parameter': ssm.parameter,
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule': ec2.egressRule,
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule': ec2.ingressRule,
};
