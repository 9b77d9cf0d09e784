import type { Resource, ResourceType, Tagging } from '../resource-type';
import { given, object, objects, text, type Properties } from '../values';

const tagging: Tagging = {
  of: ({ id }) => ({ Resources: [id] }),
  add: 'CreateTags',
  remove: 'DeleteTags',
  keys: 'Tags',
};

/** EC2 is told the tags of what it creates together with what that is. */
const tagged = (kind: string) => ({
  names: { tags: '' },
  adds: ({ inputs }: Resource) => ({
    TagSpecifications:
      inputs.tags === undefined
        ? undefined
        : [
            {
              ResourceType: kind,
              Tags: Object.entries(object(inputs.tags)).map(([Key, Value]) => ({ Key, Value })),
            },
          ],
  }),
});

export const securityGroup: ResourceType = {
  service: 'ec2',
  names: { name: 'GroupName', ...tagged('').names, arn: 'SecurityGroupArn' },
  autonamed: 'name',
  defaults: { revokeRulesOnDelete: false },
  replaces: ['name', 'description', 'vpcId'],
  settings: ['revokeRulesOnDelete'],
  create: {
    operation: 'CreateSecurityGroup',
    carries: ['tags', 'description'],
    adds: tagged('security-group').adds,
  },
  id: (_, answer) => text(answer.GroupId),
  tagging,
  delete: ({ id }) => [{ operation: 'DeleteSecurityGroup', parameters: { GroupId: id } }],
  read: {
    operation: 'DescribeSecurityGroups',
    parameters: ({ id }) => ({ GroupIds: [id] }),
    found: answer => objects(answer.SecurityGroups)[0],
  },
};

/** A rule that goes in or out. */
function rule(direction: 'Ingress' | 'Egress'): ResourceType {
  return {
    service: 'ec2',
    names: { ...tagged('').names, ipProtocol: '', fromPort: '', toPort: '', arn: 'SecurityGroupRuleArn' },
    replaces: ['securityGroupId'],
    create: {
      operation: `AuthorizeSecurityGroup${direction}`,
      carries: [...parts, 'securityGroupId', 'tags'],
      adds: resource => ({
        GroupId: resource.inputs.securityGroupId,
        IpPermissions: [permission(resource.inputs)],
        ...tagged('security-group-rule').adds(resource),
      }),
    },
    id: (_, answer) => text(objects(answer.SecurityGroupRules)[0]?.SecurityGroupRuleId),
    set: [
      {
        of: parts,
        requests: ({ id, inputs }) => [
          {
            operation: 'ModifySecurityGroupRules',
            parameters: {
              GroupId: text(inputs.securityGroupId),
              SecurityGroupRules: [{ SecurityGroupRuleId: id, SecurityGroupRule: ruleOf(inputs) }],
            },
          },
        ],
      },
    ],
    tagging,
    delete: ({ id, inputs }) => [
      {
        operation: `RevokeSecurityGroup${direction}`,
        parameters: { GroupId: text(inputs.securityGroupId), SecurityGroupRuleIds: [id] },
      },
    ],
    read: {
      operation: 'DescribeSecurityGroupRules',
      parameters: ({ id }) => ({ SecurityGroupRuleIds: [id] }),
      found: answer => objects(answer.SecurityGroupRules)[0],
    },
    outputs: (_, { id }) => ({ securityGroupRuleId: id }),
  };
}

const parts = [
  'cidrIpv4',
  'cidrIpv6',
  'description',
  'fromPort',
  'ipProtocol',
  'prefixListId',
  'referencedSecurityGroupId',
  'toPort',
];

function permission(inputs: Properties): Properties {
  const { description: Description } = inputs;
  const source = (name: string, value: string | undefined): Properties =>
    value === undefined ? {} : { [name]: [given({ [sourceNames[name] ?? '']: value, Description })] };
  const optional = (name: string): string | undefined =>
    inputs[name] === undefined ? undefined : text(inputs[name]);
  return {
    ...given({ IpProtocol: inputs.ipProtocol, FromPort: inputs.fromPort, ToPort: inputs.toPort }),
    ...source('IpRanges', optional('cidrIpv4')),
    ...source('Ipv6Ranges', optional('cidrIpv6')),
    ...source('PrefixListIds', optional('prefixListId')),
    ...source('UserIdGroupPairs', optional('referencedSecurityGroupId')),
  };
}

const sourceNames: Readonly<Record<string, string>> = {
  IpRanges: 'CidrIp',
  Ipv6Ranges: 'CidrIpv6',
  PrefixListIds: 'PrefixListId',
  UserIdGroupPairs: 'GroupId',
};

function ruleOf(inputs: Properties): Properties {
  return given({
    IpProtocol: inputs.ipProtocol,
    FromPort: inputs.fromPort,
    ToPort: inputs.toPort,
    CidrIpv4: inputs.cidrIpv4,
    CidrIpv6: inputs.cidrIpv6,
    PrefixListId: inputs.prefixListId,
    ReferencedGroupId: inputs.referencedSecurityGroupId,
    Description: inputs.description,
  });
}

export const ingressRule = rule('Ingress');
export const egressRule = rule('Egress');
