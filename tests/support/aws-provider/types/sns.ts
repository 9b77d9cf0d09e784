import type { ResourceType, Setter, Tagging } from '../resource-type';
import { object, printed, text } from '../values';

const tagging: Tagging = {
  of: ({ id }) => ({ ResourceArn: id }),
  add: 'TagResource',
  remove: 'UntagResource',
  list: 'ListTagsForResource',
};

/** Attributes are set one at a time, as strings. */
function attribute(property: string, operation: string, parameter: string): Setter {
  return {
    of: [property],
    requests: ({ id, inputs }) => [
      {
        operation,
        parameters: {
          [parameter]: id,
          AttributeName: property.charAt(0).toUpperCase() + property.slice(1),
          AttributeValue: printed(inputs[property]),
        },
      },
    ],
  };
}

export const topic: ResourceType = {
  service: 'sns',
  names: { arn: 'TopicArn' },
  autonamed: 'name',
  replaces: ['name', 'fifoTopic'],
  create: { operation: 'CreateTopic' },
  id: (_, answer) => text(answer.TopicArn),
  set: ['deliveryPolicy', 'displayName', 'kmsMasterKeyId', 'policy', 'signatureVersion', 'tracingConfig'].map(
    property => attribute(property, 'SetTopicAttributes', 'TopicArn'),
  ),
  tagging,
  delete: ({ id }) => [{ operation: 'DeleteTopic', parameters: { TopicArn: id } }],
  read: {
    operation: 'GetTopicAttributes',
    parameters: ({ id }) => ({ TopicArn: id }),
    found: answer => object(answer.Attributes),
  },
  outputs: found => ({ name: text(found.TopicArn).split(':').at(-1) }),
};

/** Without it, the topic has AWS's default policy again; nothing is told to AWS. */
export const topicPolicy: ResourceType = {
  service: 'sns',
  names: { arn: 'TopicArn', policy: 'AttributeValue' },
  replaces: ['arn'],
  create: { operation: 'SetTopicAttributes', adds: () => ({ AttributeName: 'Policy' }) },
  id: ({ inputs }) => text(inputs.arn),
  update: { operation: 'SetTopicAttributes', adds: () => ({ AttributeName: 'Policy' }) },
  read: {
    operation: 'GetTopicAttributes',
    parameters: ({ id }) => ({ TopicArn: id }),
    found: answer => object(answer.Attributes),
  },
};

export const topicSubscription: ResourceType = {
  service: 'sns',
  names: { topic: 'TopicArn', arn: 'SubscriptionArn', ownerId: 'Owner' },
  defaults: { confirmationTimeoutInMinutes: 1, endpointAutoConfirms: false, rawMessageDelivery: false },
  replaces: ['topic', 'protocol', 'endpoint'],
  settings: ['confirmationTimeoutInMinutes', 'endpointAutoConfirms'],
  create: { operation: 'Subscribe', adds: () => ({ ReturnSubscriptionArn: true }) },
  id: (_, answer) => text(answer.SubscriptionArn),
  set: ['deliveryPolicy', 'filterPolicy', 'filterPolicyScope', 'rawMessageDelivery', 'redrivePolicy'].map(
    property => attribute(property, 'SetSubscriptionAttributes', 'SubscriptionArn'),
  ),
  delete: ({ id }) => [{ operation: 'Unsubscribe', parameters: { SubscriptionArn: id } }],
  read: {
    operation: 'GetSubscriptionAttributes',
    parameters: ({ id }) => ({ SubscriptionArn: id }),
    found: answer => object(answer.Attributes),
  },
};
