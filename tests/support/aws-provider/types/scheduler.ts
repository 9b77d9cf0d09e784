import type { ResourceType } from '../resource-type';
import { text, type Properties } from '../values';

export const schedule: ResourceType = {
  service: 'scheduler',
  autonamed: 'name',
  defaults: { scheduleExpressionTimezone: 'UTC', state: 'ENABLED' },
  replaces: ['name', 'groupName'],
  create: { operation: 'CreateSchedule' },
  id: ({ inputs }) => `${text(inputs.groupName ?? 'default')}/${text(inputs.name)}`,
  update: { operation: 'UpdateSchedule' },
  delete: ({ id }) => [{ operation: 'DeleteSchedule', parameters: place(id) }],
  read: { operation: 'GetSchedule', parameters: ({ id }) => place(id), found: answer => answer },
};

function place(id: string): Properties {
  const [GroupName = '', Name = ''] = id.split('/');
  return { GroupName, Name };
}
