import type { Resource, ResourceType } from '../resource-type';
import { text } from '../values';

export const secret: ResourceType = {
  service: 'secretsmanager',
  autonamed: 'name',
  defaults: { forceOverwriteReplicaSecret: false, recoveryWindowInDays: 30 },
  replaces: ['name'],
  settings: ['recoveryWindowInDays'],
  refuses: ({ recoveryWindowInDays: days }) =>
    typeof days === 'number' && days !== 0 && (days < 7 || days > 30)
      ? [{ property: 'recoveryWindowInDays', reason: 'AWS allows 7 to 30 days; 0 deletes at once' }]
      : [],
  create: { operation: 'CreateSecret' },
  id: (_, answer) => text(answer.ARN),
  update: { operation: 'UpdateSecret', adds: ({ id }) => ({ SecretId: id }) },
  set: [
    {
      of: ['policy'],
      requests: ({ id, inputs: { policy } }) => [
        policy === undefined
          ? { operation: 'DeleteResourcePolicy', parameters: { SecretId: id } }
          : { operation: 'PutResourcePolicy', parameters: { SecretId: id, ResourcePolicy: policy } },
      ],
    },
  ],
  tagging: { of: ({ id }) => ({ SecretId: id }), add: 'TagResource', remove: 'UntagResource' },
  delete: deletion,
  read: {
    operation: 'DescribeSecret',
    parameters: ({ id }) => ({ SecretId: id }),
    found: answer => (answer.DeletedDate === undefined ? answer : undefined),
  },
};

function deletion({ id, inputs: { recoveryWindowInDays } }: Resource) {
  return [
    {
      operation: 'DeleteSecret',
      parameters: {
        SecretId: id,
        ...(recoveryWindowInDays === 0
          ? { ForceDeleteWithoutRecovery: true }
          : { RecoveryWindowInDays: recoveryWindowInDays ?? 30 }),
      },
    },
  ];
}

/** A version isn't deleted: it ends with its secret. */
export const secretVersion: ResourceType = {
  service: 'secretsmanager',
  replaces: ['secretId', 'secretString', 'secretBinary'],
  create: { operation: 'PutSecretValue' },
  id: ({ inputs }, answer) => `${text(inputs.secretId)}|${text(answer.VersionId)}`,
  read: {
    operation: 'GetSecretValue',
    parameters: ({ id }) => {
      const [SecretId = '', VersionId = ''] = id.split('|');
      return { SecretId, VersionId };
    },
    found: answer => answer,
  },
};
