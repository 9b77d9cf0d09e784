import type { Resource, ResourceType, Tagging } from '../resource-type';
import { object, objects, text } from '../values';

const tagging: Tagging = {
  of: ({ id }) => ({ RoleName: id }),
  add: 'TagRole',
  remove: 'UntagRole',
  list: 'ListRoleTags',
};

export const role: ResourceType = {
  service: 'iam',
  names: { name: 'RoleName', assumeRolePolicy: 'AssumeRolePolicyDocument', uniqueId: 'RoleId' },
  autonamed: 'name',
  defaults: { forceDetachPolicies: false, maxSessionDuration: 3600, path: '/' },
  replaces: ['name', 'path'],
  settings: ['forceDetachPolicies'],
  create: { operation: 'CreateRole' },
  id: ({ inputs }) => text(inputs.name),
  set: [
    {
      of: ['assumeRolePolicy'],
      requests: ({ id, inputs }) => [
        {
          operation: 'UpdateAssumeRolePolicy',
          parameters: { RoleName: id, PolicyDocument: text(inputs.assumeRolePolicy) },
        },
      ],
    },
    { of: ['permissionsBoundary'], requests: boundary },
  ],
  update: { operation: 'UpdateRole' },
  tagging,
  delete: ({ id }) => [{ operation: 'DeleteRole', parameters: { RoleName: id } }],
  read: {
    operation: 'GetRole',
    parameters: ({ id }) => ({ RoleName: id }),
    found: answer => object(answer.Role),
  },
  outputs: found => ({
    permissionsBoundary: object(found.PermissionsBoundary).PermissionsBoundaryArn,
  }),
};

function boundary({ id, inputs: { permissionsBoundary } }: Resource) {
  return [
    permissionsBoundary === undefined
      ? { operation: 'DeleteRolePermissionsBoundary', parameters: { RoleName: id } }
      : {
          operation: 'PutRolePermissionsBoundary',
          parameters: { RoleName: id, PermissionsBoundary: permissionsBoundary },
        },
  ];
}

export const rolePolicy: ResourceType = {
  service: 'iam',
  names: { name: 'PolicyName', role: 'RoleName', policy: 'PolicyDocument' },
  autonamed: 'name',
  replaces: ['name', 'role'],
  create: { operation: 'PutRolePolicy' },
  id: ({ inputs }) => `${text(inputs.role)}:${text(inputs.name)}`,
  update: { operation: 'PutRolePolicy' },
  delete: ({ inputs }) => [
    {
      operation: 'DeleteRolePolicy',
      parameters: { RoleName: text(inputs.role), PolicyName: text(inputs.name) },
    },
  ],
  read: {
    operation: 'GetRolePolicy',
    parameters: ({ id }) => {
      const [RoleName = '', PolicyName = ''] = id.split(':');
      return { RoleName, PolicyName };
    },
    found: answer => answer,
  },
};

export const rolePolicyAttachment: ResourceType = {
  service: 'iam',
  names: { role: 'RoleName' },
  replaces: ['role', 'policyArn'],
  create: { operation: 'AttachRolePolicy' },
  id: ({ inputs }) => `${text(inputs.role)}/${text(inputs.policyArn)}`,
  delete: ({ inputs }) => [
    {
      operation: 'DetachRolePolicy',
      parameters: { RoleName: text(inputs.role), PolicyArn: text(inputs.policyArn) },
    },
  ],
  read: {
    operation: 'ListAttachedRolePolicies',
    parameters: ({ id }) => ({ RoleName: id.split('/')[0] ?? '' }),
    found: (answer, { id }) =>
      objects(answer.AttachedPolicies).find(({ PolicyArn }) => id.endsWith(`/${text(PolicyArn)}`)),
  },
};
