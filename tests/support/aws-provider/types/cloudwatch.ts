import type { ResourceType, Tagging } from '../resource-type';
import { given, list, object, objects, text, type Properties } from '../values';

const alarmTagging: Tagging = {
  of: ({ state }) => ({ ResourceARN: text(state.arn) }),
  add: 'TagResource',
  remove: 'UntagResource',
  list: 'ListTagsForResource',
};

export const metricAlarm: ResourceType = {
  service: 'cloudwatch',
  names: {
    name: 'AlarmName',
    arn: 'AlarmArn',
    evaluateLowSampleCountPercentiles: 'EvaluateLowSampleCountPercentile',
  },
  autonamed: 'name',
  defaults: { actionsEnabled: true, treatMissingData: 'missing' },
  replaces: ['name'],
  create: { operation: 'PutMetricAlarm', carries: ['metricQueries'], adds: metrics },
  id: ({ inputs }) => text(inputs.name),
  update: { operation: 'PutMetricAlarm', carries: ['metricQueries'], adds: metrics },
  tagging: alarmTagging,
  delete: ({ id }) => [{ operation: 'DeleteAlarms', parameters: { AlarmNames: [id] } }],
  read: {
    operation: 'DescribeAlarms',
    parameters: ({ id }) => ({ AlarmNames: [id] }),
    found: answer => objects(answer.MetricAlarms)[0],
  },
};

function metrics({ inputs }: { readonly inputs: Properties }) {
  const queries = objects(inputs.metricQueries);
  if (queries.length === 0) return {};
  return {
    Metrics: queries.map(({ metric, ...query }) => {
      if (metric === undefined) return given(query);
      const { metricName, namespace, dimensions, ...statistic } = object(metric);
      return given({
        ...query,
        metricStat: given({ ...statistic, metric: given({ metricName, namespace, dimensions }) }),
      });
    }),
  };
}

const logTagging: Tagging = {
  of: ({ state }) => ({ resourceArn: text(state.arn) }),
  add: 'TagResource',
  remove: 'UntagResource',
  keys: 'tagKeys',
  list: 'ListTagsForResource',
};

/** 0 is for ever. */
const retentions = [
  0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];

export const logGroup: ResourceType = {
  service: 'logs',
  names: { name: 'logGroupName' },
  autonamed: 'name',
  defaults: { retentionInDays: 0, skipDestroy: false },
  replaces: ['name', 'logGroupClass'],
  settings: ['skipDestroy'],
  refuses: ({ retentionInDays: days }) =>
    typeof days === 'number' && !retentions.includes(days)
      ? [{ property: 'retentionInDays', reason: `AWS allows ${retentions.join(', ')}` }]
      : [],
  create: { operation: 'CreateLogGroup' },
  id: ({ inputs }) => text(inputs.name),
  set: [
    {
      of: ['retentionInDays'],
      requests: ({ id, inputs: { retentionInDays } }) => [
        retentionInDays === 0
          ? { operation: 'DeleteRetentionPolicy', parameters: { logGroupName: id } }
          : {
              operation: 'PutRetentionPolicy',
              parameters: { logGroupName: id, retentionInDays: retentionInDays ?? null },
            },
      ],
    },
    {
      of: ['kmsKeyId'],
      requests: ({ id, inputs: { kmsKeyId } }) => [
        kmsKeyId === undefined
          ? { operation: 'DisassociateKmsKey', parameters: { logGroupName: id } }
          : { operation: 'AssociateKmsKey', parameters: { logGroupName: id, kmsKeyId } },
      ],
    },
  ],
  tagging: logTagging,
  delete: ({ id, inputs }) =>
    inputs.skipDestroy === true ? [] : [{ operation: 'DeleteLogGroup', parameters: { logGroupName: id } }],
  read: {
    operation: 'DescribeLogGroups',
    parameters: ({ id }) => ({ logGroupNamePrefix: id }),
    found: (answer, { id }) =>
      list(answer.logGroups)
        .map(object)
        .find(({ logGroupName }) => logGroupName === id),
  },
  // Without the ":*" of its streams.
  outputs: found => ({ arn: text(found.arn).replace(/:\*$/, '') }),
  lacking: ['AssociateKmsKey', 'DisassociateKmsKey'],
};
