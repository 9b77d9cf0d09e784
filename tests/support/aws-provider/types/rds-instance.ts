import type { Refusal, Resource, ResourceType, Step } from '../resource-type';
import { list, object, objects, text, unknown, type Properties } from '../values';
import { endpointOf, rdsTagging } from './rds';

const modify = 'ModifyDBInstance';

/** As upstream has it: what is not here is changed in place, the name and the subnet group too. */
const replaces = [
  'availabilityZone',
  'characterSetName',
  'customIamInstanceProfile',
  'dbName',
  'engine',
  'kmsKeyId',
  'ncharCharacterSetName',
  'restoreToPointInTime',
  'snapshotIdentifier',
  'storageEncrypted',
  'timezone',
  'username',
];

export const instance: ResourceType = {
  service: 'rds',
  names: {
    identifier: 'DBInstanceIdentifier',
    instanceClass: 'DBInstanceClass',
    username: 'MasterUsername',
    password: 'MasterUserPassword',
    parameterGroupName: 'DBParameterGroupName',
    backupWindow: 'PreferredBackupWindow',
    maintenanceWindow: 'PreferredMaintenanceWindow',
    performanceInsightsEnabled: 'EnablePerformanceInsights',
    iamDatabaseAuthenticationEnabled: 'EnableIAMDatabaseAuthentication',
    enabledCloudwatchLogsExports: 'EnableCloudwatchLogsExports',
    caCertIdentifier: 'CACertificateIdentifier',
    snapshotIdentifier: 'DBSnapshotIdentifier',
    replicateSourceDb: 'SourceDBInstanceIdentifier',
    resourceId: 'DbiResourceId',
    arn: 'DBInstanceArn',
    status: 'DBInstanceStatus',
    // Parts of a change, not of the instance.
    applyImmediately: '',
    allowMajorVersionUpgrade: '',
  },
  autonamed: 'identifier',
  defaults: {
    autoMinorVersionUpgrade: true,
    copyTagsToSnapshot: false,
    deleteAutomatedBackups: true,
    monitoringInterval: 0,
    performanceInsightsEnabled: false,
    publiclyAccessible: false,
    skipFinalSnapshot: false,
  },
  replaces,
  settings: [
    'allowMajorVersionUpgrade',
    'applyImmediately',
    'deleteAutomatedBackups',
    'finalSnapshotIdentifier',
    'skipFinalSnapshot',
  ],
  refuses,
  create: creation,
  id: (_, answer) => text(object(answer.DBInstance).DbiResourceId),
  update: {
    operation: modify,
    changesOnly: true,
    adds: ({ inputs, state, changed }) => ({
      DBInstanceIdentifier: state.identifier,
      NewDBInstanceIdentifier: changed.includes('identifier') ? inputs.identifier : undefined,
      ApplyImmediately: inputs.applyImmediately === true,
      AllowMajorVersionUpgrade: changed.includes('engineVersion')
        ? inputs.allowMajorVersionUpgrade
        : undefined,
    }),
  },
  set: [
    {
      of: ['port'],
      requests: resource => [modified(resource, { DBPortNumber: resource.inputs.port ?? null })],
    },
    {
      of: ['enabledCloudwatchLogsExports'],
      requests: resource => [modified(resource, { CloudwatchLogsExportConfiguration: exportsOf(resource) })],
    },
  ],
  tagging: rdsTagging,
  delete: deletion,
  read: {
    operation: 'DescribeDBInstances',
    // An import names the instance, the state its resource id.
    parameters: ({ id }) =>
      id.startsWith('db-')
        ? { Filters: [{ Name: 'dbi-resource-id', Values: [id] }] }
        : { DBInstanceIdentifier: id },
    found: answer => objects(answer.DBInstances)[0],
    id: found => text(found.DbiResourceId),
  },
  outputs: (found, { inputs }) => ({
    ...endpointOf(found),
    dbSubnetGroupName: object(found.DBSubnetGroup).DBSubnetGroupName,
    vpcSecurityGroupIds: objects(found.VpcSecurityGroups).map(group => text(group.VpcSecurityGroupId)),
    parameterGroupName: objects(found.DBParameterGroups)[0]?.DBParameterGroupName,
    masterUserSecrets: [object(found.MasterUserSecret)]
      .filter(secret => secret.SecretArn !== undefined)
      .map(secret => ({
        kmsKeyId: secret.KmsKeyId ?? '',
        secretArn: secret.SecretArn ?? '',
        secretStatus: secret.SecretStatus ?? '',
      })),
    engineVersionActual: found.EngineVersion,
    // "16" stays what was asked for while the instance is a 16.4.
    engineVersion: isPartOf(inputs.engineVersion, found.EngineVersion)
      ? inputs.engineVersion
      : found.EngineVersion,
  }),
  // It has grown by itself, as it may.
  ignores: (property, { state }, inputs) =>
    property === 'allocatedStorage' &&
    Number(state.allocatedStorage) > Number(inputs.allocatedStorage) &&
    Number(inputs.maxAllocatedStorage) > Number(inputs.allocatedStorage),
};

/** What it is made from decides which operation makes it. */
function creation({ snapshotIdentifier, restoreToPointInTime, replicateSourceDb }: Properties): Step {
  if (snapshotIdentifier !== undefined) return { operation: 'RestoreDBInstanceFromDBSnapshot' };
  if (replicateSourceDb !== undefined) return { operation: 'CreateDBInstanceReadReplica' };
  if (restoreToPointInTime === undefined) return { operation: 'CreateDBInstance' };
  return {
    operation: 'RestoreDBInstanceToPointInTime',
    carries: ['identifier', 'restoreToPointInTime'],
    adds: ({ inputs }) => ({
      ...object(inputs.restoreToPointInTime),
      TargetDBInstanceIdentifier: inputs.identifier,
    }),
  };
}

function modified({ inputs, state }: Resource, parameters: Properties) {
  return {
    operation: modify,
    parameters: {
      DBInstanceIdentifier: text(state.identifier),
      ApplyImmediately: inputs.applyImmediately === true,
      ...parameters,
    },
  };
}

function exportsOf({ inputs, state }: Resource): Properties {
  const [wanted, has] = [list(inputs.enabledCloudwatchLogsExports), list(state.enabledCloudwatchLogsExports)];
  return {
    EnableLogTypes: wanted.filter(log => !has.includes(log)),
    DisableLogTypes: has.filter(log => !wanted.includes(log)),
  };
}

function deletion({ inputs, state }: Resource) {
  const skip = inputs.skipFinalSnapshot === true;
  if (!skip && inputs.finalSnapshotIdentifier === undefined)
    throw new Error('finalSnapshotIdentifier is required when skipFinalSnapshot is false');
  return [
    {
      operation: 'DeleteDBInstance',
      parameters: {
        DBInstanceIdentifier: text(state.identifier),
        DeleteAutomatedBackups: inputs.deleteAutomatedBackups !== false,
        ...(skip
          ? { SkipFinalSnapshot: true }
          : { SkipFinalSnapshot: false, FinalDBSnapshotIdentifier: text(inputs.finalSnapshotIdentifier) }),
      },
    },
  ];
}

/** The rules of names and ranges that AWS documents for CreateDBInstance, and its model doesn't have. */
function refuses(inputs: Properties): Refusal[] {
  const found: Refusal[] = [];
  const refuse = (property: string, reason: string, when: boolean): void => {
    if (when && inputs[property] !== undefined) found.push({ property, reason });
  };
  const isNot = (property: string, pattern: RegExp): boolean =>
    typeof inputs[property] === 'string' &&
    // What isn't known in a preview is judged by the update.
    inputs[property] !== unknown &&
    !pattern.test(inputs[property]);
  const isNoneOf = (property: string, allowed: (value: number) => boolean): boolean =>
    typeof inputs[property] === 'number' && !allowed(inputs[property]);
  const name = /^[a-z](-?[a-z0-9])*$/i;
  const nameRule = 'begins with a letter, has letters, digits and single hyphens, and doesn’t end with one';
  refuse(
    'identifier',
    `an identifier ${nameRule}, all of them small`,
    isNot('identifier', /^[a-z](-?[a-z0-9])*$/),
  );
  refuse('finalSnapshotIdentifier', `a snapshot’s name ${nameRule}`, isNot('finalSnapshotIdentifier', name));
  refuse(
    'password',
    'it is either given or managed by AWS: manageMasterUserPassword',
    inputs.manageMasterUserPassword === true,
  );
  refuse(
    'backupRetentionPeriod',
    'AWS keeps automated backups for 0 to 35 days',
    isNoneOf('backupRetentionPeriod', days => days >= 0 && days <= 35),
  );
  refuse(
    'monitoringInterval',
    'AWS allows 0, 1, 5, 10, 15, 30 and 60 seconds',
    isNoneOf('monitoringInterval', seconds => [0, 1, 5, 10, 15, 30, 60].includes(seconds)),
  );
  refuse(
    'performanceInsightsRetentionPeriod',
    'AWS allows 7 days, 731, and multiples of 31 up to 713',
    isNoneOf(
      'performanceInsightsRetentionPeriod',
      days => [7, 731].includes(days) || (days % 31 === 0 && days <= 713),
    ),
  );
  return found;
}

function isPartOf(asked: unknown, actual: unknown): boolean {
  return typeof asked === 'string' && typeof actual === 'string' && `${actual}.`.startsWith(`${asked}.`);
}
