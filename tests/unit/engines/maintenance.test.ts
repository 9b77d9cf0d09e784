import { pendingChange, pendingModifications } from '../../../engines/rds/maintenance';

// A Thursday.
const now = '2026-01-15T12:00:00.000Z';

test('what waits for the maintenance window is told without passwords; nothing waits where there is none', () => {
  const instance = {
    PreferredMaintenanceWindow: 'sat:03:00-sat:03:30',
    PendingModifiedValues: { MultiAZ: true, MasterUserPassword: 'hunter2' },
  };
  expect(pendingModifications(instance)).toEqual([
    'MultiAZ is going to be true',
    'MasterUserPassword is going to change',
  ]);
  expect(pendingChange(instance, now)).toEqual({
    at: '2026-01-17T03:00:00.000Z',
    what: 'MultiAZ is going to be true, MasterUserPassword is going to change',
  });
  expect(pendingChange({ ...instance, PendingModifiedValues: {} }, now)).toBeUndefined();
  expect(pendingChange({ PendingModifiedValues: { MultiAZ: true } }, now)).toBeUndefined();
});
