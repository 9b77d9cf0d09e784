import type { Interface, Kind, SdkTypes } from './sdk-types';
import type { Refusal } from './resource-type';
import { isList, isObject, unknown, type Properties, type Value } from './values';

/** What the SDK's own types would not allow: properties that don't exist, that are missing, or that are of another kind. */
export function typeErrors(types: SdkTypes, wanted: Interface, properties: Properties): Refusal[] {
  return [...inInterface(types, wanted, properties, '')];
}

function* inInterface(
  types: SdkTypes,
  wanted: Interface,
  properties: Properties,
  at: string,
): Generator<Refusal> {
  for (const [name, { optional }] of Object.entries(wanted))
    if (!optional && (properties[name] ?? null) === null)
      yield { property: at + name, reason: 'missing required property' };
  for (const [name, value] of Object.entries(properties)) {
    const property = wanted[name];
    if (property === undefined)
      yield { property: at + name, reason: `unknown property${nearest(name, wanted)}` };
    else yield* inKind(types, property.kind, value, at + name);
  }
}

function* inKind(types: SdkTypes, kind: Kind, value: Value, at: string): Generator<Refusal> {
  if (value === unknown || value === null || kind === 'anything') return;
  const expected = (what: string): Refusal => ({
    property: at,
    reason: `expected ${what}, not ${isList(value) ? 'a list' : `a ${typeof value}`}`,
  });
  if (kind === 'document') {
    if (typeof value !== 'string' && !isObject(value)) yield expected('a document');
  } else if (typeof kind === 'string') {
    if (typeof value !== kind) yield expected(`a ${kind}`);
  } else if ('list' in kind) {
    if (!isList(value)) yield expected('a list');
    else
      for (const [index, element] of value.entries())
        yield* inKind(types, kind.list, element, `${at}[${index}]`);
  } else if (!isObject(value)) yield expected('an object');
  else if ('map' in kind)
    for (const [key, element] of Object.entries(value))
      yield* inKind(types, kind.map, element, `${at}.${key}`);
  else yield* inInterface(types, types.input(kind.object), value, `${at}.`);
}

/** A name that differs in capitals only is worth saying. */
function nearest(name: string, wanted: Interface): string {
  const meant = Object.keys(wanted).find(known => known.toLowerCase() === name.toLowerCase());
  return meant === undefined ? '' : ` (there is ${meant})`;
}
