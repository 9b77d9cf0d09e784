import * as z from 'zod';

/*
 * Finds one's way in a schema: which setting a path leads to, and what its metadata say. Errors, the list of secret keys and
 * the reference page are made with it.
 */

type Schema = z.core.$ZodType;
type Shape = Readonly<Record<string, Schema>>;

/** What the metadata of a setting say. */
export interface Setting {
  readonly description: string | undefined;
  readonly example: string | undefined;
  readonly secret: boolean;
}

/** The schemas that stand for one setting, outermost first: wrappers (default, optional, codec) and what they wrap. */
function layers(schema: Schema): { all: Schema[]; inner: Schema } {
  const all = [schema];
  for (let inner = schema; ; all.push(inner)) {
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional)
      inner = inner.def.innerType;
    else if (inner instanceof z.ZodPipe) inner = inner.def.in;
    else return { all, inner };
  }
}

/** The metadata of a setting; those of an outer layer count before those of an inner one. */
export function settingOf(schema: Schema): Setting {
  const metas = layers(schema).all.map(layer => z.globalRegistry.get(layer) ?? {});
  const { description, example, secret } = Object.assign({}, ...metas.reverse()) as {
    description?: string;
    example?: string | number;
    secret?: boolean;
  };
  return { description, example: example?.toString(), secret: secret === true };
}

/** The keys that an object (or the alternative of a union that `value` chooses) knows; none for anything else. */
export function knownKeys(schema: Schema, value: unknown): string[] {
  return [...new Set(shapesOf(schema, value).flatMap(shape => Object.keys(shape)))];
}

/** The shapes that a schema can have: its own, or those of a union's alternatives, only the chosen one where `value` chooses. */
function shapesOf(schema: Schema, value: unknown): Shape[] {
  const { inner } = layers(schema);
  if (inner instanceof z.ZodObject) return [inner.def.shape];
  if (!(inner instanceof z.ZodDiscriminatedUnion)) return [];
  const { discriminator, options } = inner.def;
  const shapes = options.flatMap(option => shapesOf(option, value));
  const choice = valueAt(value, [discriminator]);
  const chosen = shapes.filter(shape => {
    const own = shape[discriminator];
    return own !== undefined && z.safeParse(own, choice).success;
  });
  return chosen.length > 0 ? chosen : shapes;
}

/** The schema that `path` leads to; undefined when it leads nowhere. `value` is what was given, to choose in unions. */
export function schemaAt(schema: Schema, path: readonly PropertyKey[], value: unknown): Schema | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return schema;
  const child = childOf(schema, String(key), value);
  return child === undefined ? undefined : schemaAt(child, rest, valueAt(value, [key]));
}

function childOf(schema: Schema, key: string, value: unknown): Schema | undefined {
  const element = elementOf(schema);
  if (element !== undefined) return element;
  return shapesOf(schema, value).find(shape => Object.hasOwn(shape, key))?.[key];
}

/** The schema of each value of a map or list; undefined for anything else. */
function elementOf(schema: Schema): Schema | undefined {
  const { inner } = layers(schema);
  if (inner instanceof z.ZodRecord) return inner.def.valueType;
  if (inner instanceof z.ZodArray) return inner.def.element;
  return undefined;
}

/** The value at a path; undefined when there is none. */
export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** Whether a setting is a secret, or has one somewhere below it. */
export function hasSecrets(schema: Schema): boolean {
  return leaves(schema).some(({ setting }) => setting.secret);
}

/** Every setting that has no settings below it, with its path; `*` stands for any name or index. */
export function leaves(schema: Schema, path: readonly string[] = []): { path: string; setting: Setting }[] {
  const element = elementOf(schema);
  if (element !== undefined) return leaves(element, [...path, '*']);
  const shapes = shapesOf(schema, undefined);
  if (shapes.length === 0) return [{ path: path.join('.'), setting: settingOf(schema) }];
  return shapes.flatMap(shape =>
    Object.entries(shape).flatMap(([key, child]) => leaves(child, [...path, key])),
  );
}
