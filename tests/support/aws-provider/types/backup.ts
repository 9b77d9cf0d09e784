import { randomUUID } from 'node:crypto';
import type { ResourceType, Tagging } from '../resource-type';
import { object, text, type Properties } from '../values';

const tagging: Tagging = {
  of: ({ state }) => ({ ResourceArn: text(state.arn) }),
  add: 'TagResource',
  remove: 'UntagResource',
  keys: 'TagKeyList',
  list: 'ListTags',
};

const readVault = {
  operation: 'DescribeBackupVault',
  parameters: ({ id }: { readonly id: string }) => ({ BackupVaultName: id }),
  found: (answer: Properties) => answer,
};

export const vault: ResourceType = {
  service: 'backup',
  names: {
    name: 'BackupVaultName',
    kmsKeyArn: 'EncryptionKeyArn',
    tags: 'BackupVaultTags',
    arn: 'BackupVaultArn',
    recoveryPoints: 'NumberOfRecoveryPoints',
  },
  autonamed: 'name',
  defaults: { forceDestroy: false },
  replaces: ['name', 'kmsKeyArn'],
  settings: ['forceDestroy'],
  create: { operation: 'CreateBackupVault' },
  id: ({ inputs }) => text(inputs.name),
  tagging,
  delete: ({ id }) => [{ operation: 'DeleteBackupVault', parameters: { BackupVaultName: id } }],
  read: readVault,
};

export const vaultLockConfiguration: ResourceType = {
  service: 'backup',
  replaces: ['backupVaultName', 'changeableForDays', 'maxRetentionDays', 'minRetentionDays'],
  create: { operation: 'PutBackupVaultLockConfiguration' },
  id: ({ inputs }) => text(inputs.backupVaultName),
  delete: ({ id }) => [
    { operation: 'DeleteBackupVaultLockConfiguration', parameters: { BackupVaultName: id } },
  ],
  read: readVault,
};

const planSaid = {
  carries: ['name', 'rules', 'advancedBackupSettings'],
  adds: ({ inputs: { name, rules, advancedBackupSettings } }: { readonly inputs: Properties }) => ({
    BackupPlan: {
      name: name ?? null,
      rules: rules ?? null,
      advancedBackupSettings: advancedBackupSettings ?? null,
    },
  }),
};

export const plan: ResourceType = {
  service: 'backup',
  names: {
    name: 'BackupPlanName',
    tags: 'BackupPlanTags',
    arn: 'BackupPlanArn',
    version: 'VersionId',
    targetVaultName: 'TargetBackupVaultName',
    schedule: 'ScheduleExpression',
    startWindow: 'StartWindowMinutes',
    completionWindow: 'CompletionWindowMinutes',
    deleteAfter: 'DeleteAfterDays',
    coldStorageAfter: 'MoveToColdStorageAfterDays',
    destinationVaultArn: 'DestinationBackupVaultArn',
  },
  autonamed: 'name',
  create: { operation: 'CreateBackupPlan', ...planSaid },
  id: (_, answer) => text(answer.BackupPlanId),
  update: {
    operation: 'UpdateBackupPlan',
    ...planSaid,
    adds: resource => ({ BackupPlanId: resource.id, ...planSaid.adds(resource) }),
  },
  tagging,
  delete: ({ id }) => [{ operation: 'DeleteBackupPlan', parameters: { BackupPlanId: id } }],
  read: {
    operation: 'GetBackupPlan',
    parameters: ({ id }) => ({ BackupPlanId: id }),
    found: answer => ({ ...answer, ...object(answer.BackupPlan) }),
  },
};

/** moto has no selections: what the model of the API allows is kept in Pulumi's state, and nowhere else. */
export const selection: ResourceType = {
  service: 'backup',
  names: {
    name: 'SelectionName',
    planId: 'BackupPlanId',
    selectionTags: 'ListOfTags',
    type: 'ConditionType',
    key: 'ConditionKey',
    value: 'ConditionValue',
  },
  autonamed: 'name',
  replaces: ['iamRoleArn', 'name', 'notResources', 'planId', 'resources', 'selectionTags'],
  create: {
    operation: 'CreateBackupSelection',
    carries: ['iamRoleArn', 'name', 'notResources', 'resources', 'selectionTags'],
    adds: ({ inputs: { name, iamRoleArn, resources, notResources, selectionTags } }) => ({
      BackupSelection: {
        name: name ?? null,
        iamRoleArn: iamRoleArn ?? null,
        resources: resources ?? null,
        notResources: notResources ?? null,
        selectionTags: selectionTags ?? null,
      },
    }),
  },
  id: (_, answer) => text(answer.SelectionId ?? randomUUID()),
  delete: ({ id, inputs }) => [
    {
      operation: 'DeleteBackupSelection',
      parameters: { BackupPlanId: text(inputs.planId), SelectionId: id },
    },
  ],
  lacking: ['CreateBackupSelection', 'DeleteBackupSelection'],
};
