import { z } from 'zod';
import { describeIssues } from '../../../../core/settings/issues';
import { knownKeys, leaves, schemaAt, settingOf, valueAt } from '../../../../core/settings/schema';

const schema = z.strictObject({
  plain: z.string().describe('inner').meta({ example: 3 }).optional().describe('outer'),
  map: z.record(z.string(), z.number().meta({ secret: true })).default({}),
  piped: z.string().transform(text => text.length),
  either: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('a'), first: z.string() }),
    z.strictObject({ kind: z.literal('b'), second: z.string() }),
  ]),
  any: z.union([z.literal(1), z.literal(2)]),
});

test('the outer description of a setting counts, and what only the inner one says stays', () => {
  expect(settingOf(schema.shape.plain)).toEqual({ description: 'outer', example: '3', secret: false });
  expect(settingOf(schema.shape.map.def.innerType.valueType)).toMatchObject({ secret: true });
  expect(settingOf(schema.shape.piped)).toEqual({
    description: undefined,
    example: undefined,
    secret: false,
  });
});

test('a path leads through maps and the alternative that was chosen', () => {
  expect(schemaAt(schema, [], {})).toBe(schema);
  expect(schemaAt(schema, ['map', 'x'], {})).toBe(schema.shape.map.def.innerType.valueType);
  expect(schemaAt(schema, ['either', 'second'], { either: { kind: 'b' } })).toBeDefined();
  expect(schemaAt(schema, ['either', 'second'], { either: { kind: 'a' } })).toBeUndefined();
  expect(schemaAt(schema, ['either', 'second'], {})).toBeDefined();
  expect(schemaAt(schema, ['nowhere', 'at', 'all'], {})).toBeUndefined();
  expect(schemaAt(schema, ['toString'], {})).toBeUndefined();
});

test('the keys of alternatives are those of the chosen one, else of all', () => {
  expect(knownKeys(schema.shape.either, { kind: 'a' })).toEqual(['kind', 'first']);
  expect(knownKeys(schema.shape.either, { kind: 'c' })).toEqual(['kind', 'first', 'second']);
  expect(knownKeys(schema.shape.plain, 'x')).toEqual([]);
});

test('a value at a path that leads nowhere is none', () => {
  expect(valueAt({ a: [{ b: 1 }] }, ['a', 0, 'b'])).toBe(1);
  expect(valueAt({ a: null }, ['a', 'b'])).toBeUndefined();
});

test('leaves are all settings without settings below them', () =>
  expect(leaves(schema).map(({ path }) => path)).toEqual([
    'plain',
    'map.*',
    'piped',
    'either.kind',
    'either.first',
    'either.kind',
    'either.second',
    'any',
  ]));

test('an issue where the schema knows nothing is told without a value or an example', () => {
  const issue: z.core.$ZodIssue = { code: 'custom', path: ['nowhere'], message: 'is odd', input: undefined };
  const unknown: z.core.$ZodIssue = {
    code: 'unrecognized_keys',
    path: ['nowhere'],
    keys: ['x'],
    message: '',
    input: {},
  };
  const context = { schema, value: { nowhere: 'hunter2' }, prefix: '', examples: true };
  expect(describeIssues([issue, issue, unknown], context)).toEqual([
    'nowhere: is odd',
    'nowhere.x: there is no such key; known are ',
  ]);
});

test('an issue of a type that has no name here is told with the schema’s own', () => {
  const { issues } = z.strictObject({ at: z.date() }).safeParse({ at: 'x' }).error!;
  expect(describeIssues(issues, { schema, value: { at: 'x' }, prefix: '', examples: true })).toEqual([
    'at: must be date',
  ]);
});
