import { withoutPending } from '../../../jobs/pulumi/settle';

const urn = (type: string, name: string) => `urn:pulumi:prod::holdfast::${type}::${name}`;
const pending = (type: string, name: string, inputs: Record<string, unknown>, operation = 'creating') => ({
  type: operation,
  resource: { urn: urn(type, name), type, custom: true, inputs },
});

const role = 'postgresql:index/role:Role';

test.each([
  [role, { name: 'shop_app' }, 'shop_app'],
  ['postgresql:index/database:Database', { name: 'shop' }, 'shop'],
  ['postgresql:index/schema:Schema', { name: 'app', database: 'shop' }, 'shop.app'],
])('an interrupted creation of %s enters the state, to be looked at', (type, inputs, id) => {
  const { deployment, looked } = withoutPending({ pending_operations: [pending(type, 'x', inputs)] });
  expect(deployment.resources).toEqual([
    { urn: urn(type, 'x'), type, custom: true, inputs, id, outputs: {} },
  ]);
  expect(deployment.pending_operations).toEqual([]);
  expect(looked).toEqual([urn(type, 'x')]);
});

test.each([
  ['a command, which can run again', pending('command:local:Command', 'x', { create: 'true' })],
  ['an update', pending(role, 'x', { name: 'x' }, 'updating')],
  ['a schema without a database', pending('postgresql:index/schema:Schema', 'x', { name: 'app' })],
  ['a role whose name is a secret', pending(role, 'x', { name: { secret: true } })],
])('%s is only forgotten', (_, operation) => {
  const kept = { urn: urn(role, 'kept'), type: role, id: 'kept' };
  expect(withoutPending({ resources: [kept], pending_operations: [operation], manifest: 1 })).toEqual({
    deployment: { resources: [kept], pending_operations: [], manifest: 1 },
    looked: [],
  });
});

test('what the state has already is not entered twice', () => {
  const known = { urn: urn(role, 'x'), type: role, id: 'x' };
  const { deployment, looked } = withoutPending({
    resources: [known],
    pending_operations: [pending(role, 'x', { name: 'x' })],
  });
  expect(deployment.resources).toEqual([known]);
  expect(looked).toEqual([]);
});
