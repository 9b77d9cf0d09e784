import type { ResourceType } from '../resource-type';
import { object, text } from '../values';

const put = {
  operation: 'PutParameter',
  carries: ['insecureValue', 'value'],
};

export const parameter: ResourceType = {
  service: 'ssm',
  names: { name: 'Name' },
  autonamed: 'name',
  replaces: ['name'],
  settings: ['overwrite'],
  refuses: ({ value, insecureValue }) =>
    (value === undefined) === (insecureValue === undefined)
      ? [{ property: 'value', reason: 'either value or insecureValue has to be given' }]
      : [],
  create: { ...put, adds: ({ inputs }) => ({ Value: inputs.value ?? inputs.insecureValue }) },
  id: ({ inputs }) => text(inputs.name),
  update: {
    ...put,
    adds: ({ inputs }) => ({ Value: inputs.value ?? inputs.insecureValue, Overwrite: true }),
  },
  tagging: {
    of: ({ id }) => ({ ResourceType: 'Parameter', ResourceId: id }),
    add: 'AddTagsToResource',
    remove: 'RemoveTagsFromResource',
    list: 'ListTagsForResource',
  },
  delete: ({ id }) => [{ operation: 'DeleteParameter', parameters: { Name: id } }],
  read: {
    operation: 'GetParameter',
    parameters: ({ id }) => ({ Name: id, WithDecryption: true }),
    found: answer => object(answer.Parameter),
  },
  outputs: (found, { inputs }) => (inputs.insecureValue === undefined ? {} : { insecureValue: found.Value }),
};
