import type { Resource, ResourceType, Tagging } from '../resource-type';
import { object, objects, text, unknown } from '../values';

const tagging: Tagging = {
  of: ({ id }) => ({ KeyId: id }),
  add: 'TagResource',
  remove: 'UntagResource',
  list: 'ListResourceTags',
};

export const key: ResourceType = {
  service: 'kms',
  names: { customerMasterKeySpec: 'KeySpec', isEnabled: 'Enabled' },
  defaults: {
    bypassPolicyLockoutSafetyCheck: false,
    customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    enableKeyRotation: false,
    isEnabled: true,
    keyUsage: 'ENCRYPT_DECRYPT',
  },
  replaces: ['customerMasterKeySpec', 'customKeyStoreId', 'keyUsage', 'multiRegion', 'xksKeyId'],
  settings: ['deletionWindowInDays', 'rotationPeriodInDays'],
  refuses: ({ deletionWindowInDays: days }) =>
    typeof days === 'number' && (days < 7 || days > 30)
      ? [{ property: 'deletionWindowInDays', reason: 'AWS waits 7 to 30 days' }]
      : [],
  create: { operation: 'CreateKey' },
  id: (_, answer) => text(object(answer.KeyMetadata).KeyId),
  set: [
    { of: ['enableKeyRotation', 'rotationPeriodInDays'], requests: rotation },
    {
      of: ['isEnabled'],
      requests: ({ id, inputs }) => [
        { operation: inputs.isEnabled === true ? 'EnableKey' : 'DisableKey', parameters: { KeyId: id } },
      ],
    },
    {
      of: ['description'],
      requests: ({ id, inputs }) => [
        {
          operation: 'UpdateKeyDescription',
          parameters: { KeyId: id, Description: inputs.description ?? '' },
        },
      ],
    },
    { of: ['policy'], requests: policyRequests },
  ],
  tagging,
  delete: ({ id, inputs }) => [
    {
      operation: 'ScheduleKeyDeletion',
      parameters: { KeyId: id, PendingWindowInDays: inputs.deletionWindowInDays ?? 30 },
    },
  ],
  read: {
    operation: 'DescribeKey',
    parameters: ({ id }) => ({ KeyId: id }),
    found: answer => {
      const found = object(answer.KeyMetadata);
      return found.KeyState === 'PendingDeletion' ? undefined : found;
    },
  },
  outputs: found => ({ keyId: found.KeyId }),
};

function rotation({ id, inputs }: Resource) {
  if (inputs.enableKeyRotation !== true)
    return [{ operation: 'DisableKeyRotation', parameters: { KeyId: id } }];
  const { rotationPeriodInDays: days } = inputs;
  return [
    {
      operation: 'EnableKeyRotation',
      parameters: { KeyId: id, ...(days === undefined ? {} : { RotationPeriodInDays: days }) },
    },
  ];
}

function policyRequests({ id, inputs }: Resource) {
  if (inputs.policy === undefined) return [];
  return [
    {
      operation: 'PutKeyPolicy',
      parameters: { KeyId: id, PolicyName: 'default', Policy: inputs.policy },
    },
  ];
}

/** Without it, the key has AWS's default policy again; nothing is told to AWS, as upstream has it. */
export const keyPolicy: ResourceType = {
  service: 'kms',
  defaults: { bypassPolicyLockoutSafetyCheck: false },
  replaces: ['keyId'],
  create: { operation: 'PutKeyPolicy', adds: () => ({ PolicyName: 'default' }) },
  id: ({ inputs }) => text(inputs.keyId),
  update: { operation: 'PutKeyPolicy', adds: () => ({ PolicyName: 'default' }) },
  read: {
    operation: 'GetKeyPolicy',
    parameters: ({ id }) => ({ KeyId: id, PolicyName: 'default' }),
    found: answer => answer,
  },
};

export const alias: ResourceType = {
  service: 'kms',
  names: { name: 'AliasName', arn: 'AliasArn' },
  autonamed: 'name',
  replaces: ['name'],
  refuses: ({ name }) =>
    typeof name === 'string' && name !== unknown && !/^alias\/(?!aws\/)[a-zA-Z0-9/_-]+$/.test(name)
      ? [{ property: 'name', reason: 'an alias begins with "alias/", and not with "alias/aws/"' }]
      : [],
  create: { operation: 'CreateAlias' },
  id: ({ inputs }) => text(inputs.name),
  update: { operation: 'UpdateAlias' },
  delete: ({ id }) => [{ operation: 'DeleteAlias', parameters: { AliasName: id } }],
  read: {
    operation: 'ListAliases',
    parameters: () => ({}),
    found: (answer, { id }) => objects(answer.Aliases).find(({ AliasName }) => AliasName === id),
  },
  outputs: found => ({
    targetKeyArn: text(found.AliasArn).replace(/:alias\/.*/, `:key/${text(found.TargetKeyId)}`),
  }),
};
