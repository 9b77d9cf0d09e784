import { breakGlassInForce, pendingBreakGlass, rememberBreakGlass } from '../../../jobs/pending-break-glass';
import { FakeMemory } from './fake-engine';

const grant = {
  reason: 'the repository host is lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: '2026-01-15T09:00:00Z',
  expires: '2026-01-15T12:00:00Z',
};
const described = expect.stringContaining('OPS-99 (approved by ada@example.com') as string;

test('a break-glass is in force until it expires, and on record until the next backup', async () => {
  const memory = new FakeMemory();
  await rememberBreakGlass(memory, grant);
  expect(await breakGlassInForce(memory, '2026-01-15T11:59:59Z')).toEqual(described);
  expect(await breakGlassInForce(memory, '2026-01-15T12:00:00Z')).toBeUndefined();
  expect(await pendingBreakGlass(memory)).toEqual(described);
});

test('none, or a damaged one, is not in force', async () => {
  const memory = new FakeMemory();
  expect(await breakGlassInForce(memory, grant.issued)).toBeUndefined();
  for (const damaged of ['{', 'null', '{}', '{"grant":{"reason":"none"}}']) {
    memory.texts.set('break-glass', damaged);
    expect(await breakGlassInForce(memory, grant.issued)).toBeUndefined();
  }
});
