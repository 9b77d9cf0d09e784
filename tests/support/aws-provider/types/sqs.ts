import type { Refusal, ResourceType, Setter, Tagging } from '../resource-type';
import { object, printed, text, type Properties } from '../values';

const tagging: Tagging = {
  of: ({ id }) => ({ QueueUrl: id }),
  add: 'TagQueue',
  remove: 'UntagQueue',
  list: 'ListQueueTags',
};

/** Attributes of a queue, and what AWS allows of their numbers. */
const attributes: Readonly<
  Record<string, { readonly name: string; readonly range?: readonly [number, number] }>
> = {
  delaySeconds: { name: 'DelaySeconds', range: [0, 900] },
  kmsDataKeyReusePeriodSeconds: { name: 'KmsDataKeyReusePeriodSeconds', range: [60, 86_400] },
  kmsMasterKeyId: { name: 'KmsMasterKeyId' },
  maxMessageSize: { name: 'MaximumMessageSize', range: [1024, 1_048_576] },
  messageRetentionSeconds: { name: 'MessageRetentionPeriod', range: [60, 1_209_600] },
  policy: { name: 'Policy' },
  receiveWaitTimeSeconds: { name: 'ReceiveMessageWaitTimeSeconds', range: [0, 20] },
  redriveAllowPolicy: { name: 'RedriveAllowPolicy' },
  redrivePolicy: { name: 'RedrivePolicy' },
  sqsManagedSseEnabled: { name: 'SqsManagedSseEnabled' },
  visibilityTimeoutSeconds: { name: 'VisibilityTimeout', range: [0, 43_200] },
};

function setAttribute([property, { name }]: readonly [string, { readonly name: string }]): Setter {
  return {
    of: [property],
    requests: ({ id, inputs }) => [
      {
        operation: 'SetQueueAttributes',
        parameters: { QueueUrl: id, Attributes: { [name]: printed(inputs[property]) } },
      },
    ],
  };
}

const reading = {
  operation: 'GetQueueAttributes',
  parameters: ({ id }: { readonly id: string }) => ({ QueueUrl: id, AttributeNames: ['All'] }),
  found: (answer: Properties) => object(answer.Attributes),
};

export const queue: ResourceType = {
  service: 'sqs',
  names: {
    arn: 'QueueArn',
    ...Object.fromEntries(Object.entries(attributes).map(([property, { name }]) => [property, name])),
    name: 'QueueName',
  },
  autonamed: 'name',
  replaces: ['name', 'fifoQueue'],
  refuses: inputs => Object.entries(attributes).flatMap(entry => outOfRange(entry, inputs)),
  create: { operation: 'CreateQueue' },
  id: (_, answer) => text(answer.QueueUrl),
  set: Object.entries(attributes).map(setAttribute),
  tagging,
  delete: ({ id }) => [{ operation: 'DeleteQueue', parameters: { QueueUrl: id } }],
  read: reading,
  outputs: (found, { id }) => ({ url: id, name: text(found.QueueArn).split(':').at(-1) }),
};

function outOfRange(
  [property, { range }]: readonly [string, { readonly range?: readonly [number, number] }],
  inputs: Properties,
): Refusal[] {
  const value = inputs[property];
  if (range === undefined || typeof value !== 'number') return [];
  const [least, most] = range;
  return value < least || value > most ? [{ property, reason: `AWS allows ${least} to ${most}` }] : [];
}

const setPolicy = {
  operation: 'SetQueueAttributes',
  carries: ['policy'],
  adds: ({ inputs }: { readonly inputs: Properties }) => ({ Attributes: { Policy: inputs.policy ?? null } }),
};

export const queuePolicy: ResourceType = {
  service: 'sqs',
  replaces: ['queueUrl'],
  create: setPolicy,
  id: ({ inputs }) => text(inputs.queueUrl),
  update: setPolicy,
  delete: ({ id }) => [
    { operation: 'SetQueueAttributes', parameters: { QueueUrl: id, Attributes: { Policy: '' } } },
  ],
  read: reading,
};
