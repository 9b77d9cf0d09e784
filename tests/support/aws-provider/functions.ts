import { mapOf, propertiesOf } from './parameters';
import { policyDocument } from './policy-document';
import type { SdkTypes } from './sdk-types';
import { endpointOf } from './types/rds';
import { given, isList, object, objects, printed, text, type Properties, type Value } from './values';

export interface Surroundings {
  readonly region: string;
  readonly types: SdkTypes;
  readonly call: (service: string, operation: string, parameters: Properties) => Promise<Properties>;
}

/** A function of the SDK: what it is asked, to what it answers. */
export type SdkFunction = (args: Properties, surroundings: Surroundings) => Promise<Properties> | Properties;

/** Every function that is carried, by its token. */
export const functions: Readonly<Record<string, SdkFunction>> = {
  'aws:ec2/getSecurityGroup:getSecurityGroup': async (args, { region, call }) => {
    const [found] = await select(args, call, {
      operation: 'DescribeSecurityGroups',
      list: 'SecurityGroups',
      id: 'group-id',
    });
    const id = text(found.GroupId);
    const arn = `arn:aws:ec2:${region}:${text(found.OwnerId)}:security-group/${id}`;
    return {
      id,
      arn,
      region,
      name: found.GroupName ?? '',
      description: found.Description ?? '',
      vpcId: found.VpcId ?? '',
      tags: mapOf(found.Tags),
    };
  },
  'aws:ec2/getSubnets:getSubnets': async (args, { region, call }) => {
    const { Subnets } = await call('ec2', 'DescribeSubnets', { Filters: filters(args) });
    return {
      id: region,
      region,
      ids: objects(Subnets).map(subnet => text(subnet.SubnetId)),
      tags: args.tags ?? {},
    };
  },
  'aws:ec2/getVpc:getVpc': async (args, { region, call }) => {
    const [found] = await select(args, call, { operation: 'DescribeVpcs', list: 'Vpcs', id: 'vpc-id' });
    const id = text(found.VpcId);
    return {
      id,
      arn: `arn:aws:ec2:${region}:${text(found.OwnerId)}:vpc/${id}`,
      region,
      ownerId: found.OwnerId ?? '',
      cidrBlock: found.CidrBlock ?? '',
      default: found.IsDefault ?? false,
      state: found.State ?? '',
      instanceTenancy: found.InstanceTenancy ?? '',
      dhcpOptionsId: found.DhcpOptionsId ?? '',
      tags: mapOf(found.Tags),
    };
  },
  'aws:iam/getPolicyDocument:getPolicyDocument': args => policyDocument(args),
  'aws:index/getCallerIdentity:getCallerIdentity': async (_, { call }) => {
    const { Account, Arn, UserId } = await call('sts', 'GetCallerIdentity', {});
    return { id: Account ?? '', accountId: Account ?? '', arn: Arn ?? '', userId: UserId ?? '' };
  },
  'aws:index/getPartition:getPartition': () => ({
    id: 'aws',
    partition: 'aws',
    dnsSuffix: 'amazonaws.com',
    reverseDnsPrefix: 'com.amazonaws',
  }),
  'aws:index/getRegion:getRegion': (_, { region }) => ({
    id: region,
    name: region,
    region,
    description: region,
    endpoint: `ec2.${region}.amazonaws.com`,
  }),
  'aws:rds/getInstance:getInstance': async (args, { region, types, call }) => {
    const { DBInstances } = await call('rds', 'DescribeDBInstances', {
      DBInstanceIdentifier: text(args.dbInstanceIdentifier),
    });
    const found = onlyOne(objects(DBInstances), 'DB instance');
    const wanted = types.functionResult('aws:rds/getInstance:getInstance');
    const names = { resourceId: 'DbiResourceId', dbInstanceArn: 'DBInstanceArn', tags: 'TagList' };
    return {
      ...propertiesOf(types, wanted, found, names),
      id: text(found.DBInstanceIdentifier),
      region,
      ...given(endpointOf(found)),
      dbSubnetGroup: object(found.DBSubnetGroup).DBSubnetGroupName ?? '',
      vpcSecurityGroups: objects(found.VpcSecurityGroups).map(group => text(group.VpcSecurityGroupId)),
    };
  },
};

interface Selection {
  readonly operation: string;
  readonly list: string;
  /** EC2's filter for the id. */
  readonly id: string;
}

/** The one of EC2's things that is meant. */
async function select(
  args: Properties,
  call: Surroundings['call'],
  { operation, list, id }: Selection,
): Promise<[Properties]> {
  const named = args.id === undefined ? [] : [{ Name: id, Values: [args.id] }];
  const other = [
    ...filter('is-default', args.default),
    ...filter('cidr', args.cidrBlock),
    ...filter('group-name', args.name),
    ...filter('vpc-id', args.vpcId),
  ];
  const answer = await call('ec2', operation, { Filters: [...named, ...other, ...filters(args)] });
  return [onlyOne(objects(answer[list]), operation)];
}

/** As upstream: of none or several, none is meant. */
function onlyOne(found: readonly Properties[], what: string): Properties {
  const [first] = found;
  if (first === undefined || found.length > 1)
    throw new Error(`${what}: ${found.length} match, and one has to`);
  return first;
}

function filter(name: string, value: Value | undefined): Properties[] {
  return value === undefined ? [] : [{ Name: name, Values: [printed(value)] }];
}

function filters({ filters: asked, tags }: Properties): Properties[] {
  return [
    ...objects(asked).map(({ name, values }) => ({ Name: name ?? '', Values: isList(values) ? values : [] })),
    ...Object.entries(object(tags)).map(([key, value]) => ({ Name: `tag:${key}`, Values: [value] })),
  ];
}
