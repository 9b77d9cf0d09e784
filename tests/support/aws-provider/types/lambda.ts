import type { Request, Resource, ResourceType, Tagging } from '../resource-type';
import { object, text } from '../values';

const tagging: Tagging = {
  of: ({ state }) => ({ Resource: text(state.arn) }),
  add: 'TagResource',
  remove: 'UntagResource',
  list: 'ListTags',
};

export const lambdaFunction: ResourceType = {
  service: 'lambda',
  names: { name: 'FunctionName', arn: 'FunctionArn', sourceCodeHash: 'CodeSha256', code: '' },
  autonamed: 'name',
  defaults: {
    memorySize: 128,
    packageType: 'Zip',
    publish: false,
    reservedConcurrentExecutions: -1,
    skipDestroy: false,
    timeout: 3,
  },
  replaces: ['name', 'packageType'],
  settings: ['skipDestroy', 'sourceCodeHash'],
  create: {
    operation: 'CreateFunction',
    carries: ['code'],
    adds: ({ inputs }) => ({ Code: { ZipFile: inputs.code ?? null } }),
  },
  id: ({ inputs }) => text(inputs.name),
  update: { operation: 'UpdateFunctionConfiguration' },
  set: [
    { of: ['code', 'architectures', 'publish'], requests: codeRequests },
    { of: ['reservedConcurrentExecutions'], requests: concurrency },
  ],
  tagging,
  delete: ({ id, inputs }) =>
    inputs.skipDestroy === true ? [] : [{ operation: 'DeleteFunction', parameters: { FunctionName: id } }],
  read: {
    operation: 'GetFunction',
    parameters: ({ id }) => ({ FunctionName: id }),
    found: answer => object(answer.Configuration),
  },
  outputs: (found, { region }) => ({
    qualifiedArn: `${text(found.FunctionArn)}:${text(found.Version)}`,
    invokeArn: `arn:aws:apigateway:${region}:lambda:path/2015-03-31/functions/${text(found.FunctionArn)}/invocations`,
    codeSha256: found.CodeSha256,
  }),
};

function codeRequests({ id, inputs }: Resource): Request[] {
  const { code, architectures, publish } = inputs;
  return [
    {
      operation: 'UpdateFunctionCode',
      parameters: {
        FunctionName: id,
        ZipFile: code ?? null,
        Publish: publish === true,
        ...(architectures === undefined ? {} : { Architectures: architectures }),
      },
    },
  ];
}

/** -1 is none reserved. */
function concurrency({ id, inputs, state }: Resource): Request[] {
  const { reservedConcurrentExecutions: reserved = -1 } = inputs;
  if (reserved !== -1)
    return [
      {
        operation: 'PutFunctionConcurrency',
        parameters: { FunctionName: id, ReservedConcurrentExecutions: reserved },
      },
    ];
  const had = state.reservedConcurrentExecutions ?? -1;
  return had === -1 ? [] : [{ operation: 'DeleteFunctionConcurrency', parameters: { FunctionName: id } }];
}

export const functionEventInvokeConfig: ResourceType = {
  service: 'lambda',
  names: { arn: 'Destination' },
  defaults: { maximumRetryAttempts: 2 },
  replaces: ['functionName', 'qualifier'],
  create: { operation: 'PutFunctionEventInvokeConfig' },
  id: ({ inputs }) => text(inputs.functionName),
  update: { operation: 'PutFunctionEventInvokeConfig' },
  delete: ({ inputs }) => [
    {
      operation: 'DeleteFunctionEventInvokeConfig',
      parameters: { FunctionName: text(inputs.functionName) },
    },
  ],
  read: {
    operation: 'GetFunctionEventInvokeConfig',
    parameters: ({ id }) => ({ FunctionName: id }),
    found: answer => answer,
  },
};
