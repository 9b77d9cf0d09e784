/** What properties are made of: JSON. */
export type Value = null | boolean | number | string | readonly Value[] | { readonly [key: string]: Value };
export type Properties = Readonly<Record<string, Value>>;

/** How the engine writes a value that is known only once its resource exists. */
export const unknown = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** The mark of assets and archives among objects. */
const signature = '4dabf18193072939515e22adb298388d';

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

export function isAsset(value: Value | undefined): value is Properties {
  return isObject(value) && signature in value;
}

/** A text that is there: of what was checked, or what AWS always answers. */
export function text(value: Value | undefined): string {
  if (typeof value !== 'string') throw new Error(`expected a text, got ${JSON.stringify(value)}`);
  return value;
}

/** A list; none is an empty one. */
export function list(value: Value | undefined): readonly Value[] {
  return isList(value) ? value : [];
}

/** The objects of a list; none are an empty one. */
export function objects(value: Value | undefined): readonly Properties[] {
  return list(value).filter(isObject);
}

/** An object; none is an empty one. */
export function object(value: Value | undefined): Properties {
  return isObject(value) ? value : {};
}

/** Without what is not given: null is Pulumi's word for that. */
export function given(properties: Readonly<Record<string, Value | undefined>>): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter((entry): entry is [string, Value] => (entry[1] ?? null) !== null),
  );
}

export function without(properties: Properties, name: string): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== name));
}

export function pick(properties: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([key]) => names.includes(key)));
}

/** A value in a string, as attributes are given. */
export function printed(value: Value | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/**
 * Whether two values mean the same to AWS: documents of JSON are compared as such, lists in any order (of what is carried here
 * none has a meaningful one), and nothing is the same as an empty list or object.
 */
export function same(one: Value | undefined, other: Value | undefined): boolean {
  return JSON.stringify(canonical(one)) === JSON.stringify(canonical(other));
}

function canonical(value: Value | undefined): Value {
  if (value === undefined || value === null) return null;
  if (isList(value)) {
    const elements = value.map(element => JSON.stringify(canonical(element))).sort();
    return elements.length === 0 ? null : elements;
  }
  if (isObject(value)) {
    const entries = Object.entries(value)
      .map(([key, inner]) => [key, canonical(inner)] as const)
      .filter(([, inner]) => inner !== null)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return entries.length === 0 ? null : Object.fromEntries(entries);
  }
  return typeof value === 'string' ? (document(value) ?? value) : value;
}

/** The canonical form of a JSON document in a string: a policy. */
function document(value: string): Value | undefined {
  if (!/^\s*[{[]/.test(value)) return undefined;
  try {
    return canonical(JSON.parse(value) as Value);
  } catch {
    return undefined;
  }
}
