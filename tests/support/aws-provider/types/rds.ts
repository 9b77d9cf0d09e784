import type { Request, Resource, ResourceType, Tagging } from '../resource-type';
import { list, object, objects, printed, text, without, type Properties, type Value } from '../values';

export const rdsTagging: Tagging = {
  of: ({ state }) => ({ ResourceName: text(state.arn) }),
  add: 'AddTagsToResource',
  remove: 'RemoveTagsFromResource',
  list: 'ListTagsForResource',
};

/** Where an instance is, in the SDK's words. */
export function endpointOf(found: Properties) {
  const { Address: address, Port: port, HostedZoneId: hostedZoneId } = object(found.Endpoint);
  return { address, port, hostedZoneId, endpoint: `${printed(address)}:${printed(port)}` };
}

export const subnetGroup: ResourceType = {
  service: 'rds',
  names: {
    name: 'DBSubnetGroupName',
    description: 'DBSubnetGroupDescription',
    arn: 'DBSubnetGroupArn',
  },
  autonamed: 'name',
  replaces: ['name'],
  create: { operation: 'CreateDBSubnetGroup' },
  id: ({ inputs }) => text(inputs.name),
  update: { operation: 'ModifyDBSubnetGroup' },
  tagging: rdsTagging,
  delete: ({ id }) => [{ operation: 'DeleteDBSubnetGroup', parameters: { DBSubnetGroupName: id } }],
  read: {
    operation: 'DescribeDBSubnetGroups',
    parameters: ({ id }) => ({ DBSubnetGroupName: id }),
    found: answer => objects(answer.DBSubnetGroups)[0],
  },
  outputs: found => ({ subnetIds: objects(found.Subnets).map(subnet => text(subnet.SubnetIdentifier)) }),
};

/** Parameters that somebody else changed are not noticed: what was asked for is taken for what is there. */
export const parameterGroup: ResourceType = {
  service: 'rds',
  names: {
    name: 'DBParameterGroupName',
    family: 'DBParameterGroupFamily',
    arn: 'DBParameterGroupArn',
  },
  autonamed: 'name',
  replaces: ['name', 'family', 'description'],
  settings: ['skipDestroy'],
  create: { operation: 'CreateDBParameterGroup' },
  id: ({ inputs }) => text(inputs.name),
  set: [{ of: ['parameters'], requests: parameterRequests }],
  tagging: rdsTagging,
  delete: ({ id, inputs }) =>
    inputs.skipDestroy === true
      ? []
      : [{ operation: 'DeleteDBParameterGroup', parameters: { DBParameterGroupName: id } }],
  read: {
    operation: 'DescribeDBParameterGroups',
    parameters: ({ id }) => ({ DBParameterGroupName: id }),
    found: answer => objects(answer.DBParameterGroups)[0],
  },
};

/** AWS takes 20 parameters at a time. */
function parameterRequests({ id, inputs, state }: Resource): Request[] {
  const wanted = objects(inputs.parameters);
  const names = wanted.map(({ name }) => name);
  const gone = objects(state.parameters).filter(({ name }) => !names.includes(name ?? null));
  return [
    ...chunks(gone.map(parameter)).map(Parameters => ({
      operation: 'ResetDBParameterGroup',
      parameters: {
        DBParameterGroupName: id,
        Parameters: Parameters.map(said => without(said, 'ParameterValue')),
      },
    })),
    ...chunks(wanted.map(parameter)).map(Parameters => ({
      operation: 'ModifyDBParameterGroup',
      parameters: { DBParameterGroupName: id, Parameters },
    })),
  ];
}

function parameter({ name, value, applyMethod }: Properties): Properties {
  return { ParameterName: name ?? '', ParameterValue: value ?? '', ApplyMethod: applyMethod ?? 'immediate' };
}

function chunks<Element>(elements: readonly Element[]): Element[][] {
  return elements.length === 0 ? [] : [elements.slice(0, 20), ...chunks(elements.slice(20))];
}

export const eventSubscription: ResourceType = {
  service: 'rds',
  names: { name: 'SubscriptionName', snsTopic: 'SnsTopicArn', arn: 'EventSubscriptionArn' },
  autonamed: 'name',
  defaults: { enabled: true },
  replaces: ['name', 'sourceType'],
  create: { operation: 'CreateEventSubscription' },
  id: ({ inputs }) => text(inputs.name),
  update: { operation: 'ModifyEventSubscription' },
  set: [{ of: ['sourceIds'], requests: sourceRequests }],
  tagging: rdsTagging,
  delete: ({ id }) => [{ operation: 'DeleteEventSubscription', parameters: { SubscriptionName: id } }],
  read: {
    operation: 'DescribeEventSubscriptions',
    parameters: ({ id }) => ({ SubscriptionName: id }),
    found: answer => objects(answer.EventSubscriptionsList)[0],
  },
  outputs: found => ({ customerAwsId: found.CustomerAwsId }),
};

function sourceRequests({ id, inputs, state }: Resource): Request[] {
  const [wanted, has] = [list(inputs.sourceIds), list(state.sourceIds)];
  const request = (operation: string, sources: readonly Value[]): Request[] =>
    sources.map(source => ({
      operation,
      parameters: { SubscriptionName: id, SourceIdentifier: text(source) },
    }));
  return [
    ...request(
      'AddSourceIdentifierToSubscription',
      wanted.filter(source => !has.includes(source)),
    ),
    ...request(
      'RemoveSourceIdentifierFromSubscription',
      has.filter(source => !wanted.includes(source)),
    ),
  ];
}

/** Called in the region that the copies go to. */
export const instanceAutomatedBackupsReplication: ResourceType = {
  service: 'rds',
  names: { retentionPeriod: 'BackupRetentionPeriod' },
  defaults: { retentionPeriod: 7 },
  replaces: ['sourceDbInstanceArn', 'kmsKeyId', 'retentionPeriod', 'preSignedUrl'],
  create: { operation: 'StartDBInstanceAutomatedBackupsReplication' },
  id: ({ inputs, region }, answer) =>
    text(
      object(answer.DBInstanceAutomatedBackup).DBInstanceAutomatedBackupsArn ??
        `arn:aws:rds:${region}:123456789012:auto-backup:ab-${text(inputs.sourceDbInstanceArn).split(':').at(-1) ?? ''}`,
    ),
  delete: ({ inputs }) => [
    {
      operation: 'StopDBInstanceAutomatedBackupsReplication',
      parameters: { SourceDBInstanceArn: text(inputs.sourceDbInstanceArn) },
    },
  ],
  lacking: ['StartDBInstanceAutomatedBackupsReplication', 'StopDBInstanceAutomatedBackupsReplication'],
};
