import { elements, input, isSet, unknownValue } from '../../policy/resource';
import { resourceViolation, violation } from '../../policy/rule';
import { properties, resourceOf, unknown } from './support/fixtures';

test('an input is undefined where it isn’t set, however deep', () => {
  const resource = resourceOf({ properties: { connection: null, host: 'db' } });
  expect(input(resource, 'connection', 'hostKey')).toBeUndefined();
  expect(input(resource, 'host', 'name')).toBeUndefined();
  expect(input(resource, 'none', 'name')).toBeUndefined();
});

test('a failure while an input is read is not taken for an unknown value', () => {
  const broken = Object.defineProperty({}, 'host', {
    get: () => {
      throw new TypeError('broken');
    },
  });
  expect(() => input(resourceOf({ properties: broken }), 'host')).toThrow('broken');
});

test('an input is set when it has a value, known or not; an empty text is none', () => {
  const resource = resourceOf({ properties: properties({ a: '', b: null, c: false, d: unknown }) });
  expect(['a', 'b', 'none'].filter(key => isSet(resource, key))).toEqual([]);
  expect(['c', 'd'].filter(key => isSet(resource, key))).toEqual(['c', 'd']);
});

test('the elements of a list are told by their place, also those that aren’t known', () => {
  const resource = resourceOf({
    properties: properties({ ingress: [{ ports: [1, unknown] }], later: unknown, host: 'db' }),
  });
  expect(elements(resource, 'ingress')).toEqual([['ingress', '0']]);
  const ports = elements(resource, 'ingress', '0', 'ports').map(at => input(resource, ...at));
  expect(ports).toEqual([1, unknownValue]);
  for (const key of ['later', 'host', 'none']) expect(elements(resource, key)).toEqual([]);
});

test('a violation without a remedy ends with what was found', () => {
  expect(violation('shop', 'odd', null)).toBe('cluster shop: odd');
});

test('a violation of a resource names it, and says how to fix it', () => {
  expect(resourceViolation(resourceOf(), 'is odd', 'mend it')).toBe(
    'shop (postgresql:index/database:Database) is odd\n  fix: mend it',
  );
});
