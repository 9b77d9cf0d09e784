import type { AwsModel, Shape } from './aws-model';
import type { Interface, Kind, SdkTypes } from './sdk-types';
import {
  given,
  isAsset,
  isList,
  isObject,
  objects,
  text,
  unknown,
  type Properties,
  type Value,
} from './values';

/** Names of members of AWS's shapes, by the name of the property. */
export type Names = Readonly<Record<string, string>>;

export interface Carried {
  readonly parameters: Properties;
  /** The property that each parameter was. */
  readonly origin: Readonly<Record<string, string>>;
}

/**
 * The properties that an operation has parameters for: those of the same name, capitals apart, or of the name that is given.
 * Below them, all do: what AWS doesn't know there is refused by its model.
 */
export function parametersOf(
  model: AwsModel,
  {
    service,
    operation,
    names,
  }: { readonly service: string; readonly operation: string; readonly names: Names },
  properties: Properties,
): Carried {
  const shape = model.input(service, operation);
  const parameters: Record<string, Value> = {};
  const origin: Record<string, string> = {};
  for (const [property, value] of Object.entries(properties)) {
    const member = memberOf(shape, names[property] ?? property);
    const inner = member === undefined ? undefined : shape.members?.[member];
    if (member === undefined || inner === undefined) continue;
    parameters[member] = toParameter({ model, service, names }, model.shape(service, inner.shape), value);
    origin[member] = property;
  }
  return { parameters, origin };
}

interface Conversion {
  readonly model: AwsModel;
  readonly service: string;
  readonly names: Names;
}

function toParameter(conversion: Conversion, shape: Shape, value: Value): Value {
  const { model, service, names } = conversion;
  if (value === unknown || isAsset(value)) return value;
  if (isList(value) && shape.member !== undefined) {
    const element = model.shape(service, shape.member.shape);
    return value.map(inner => toParameter(conversion, element, inner));
  }
  if (!isObject(value)) return value;
  if (shape.type === 'list' && shape.member !== undefined)
    return pairs(model.shape(service, shape.member.shape), value);
  if (shape.type !== 'structure') return value;
  return Object.fromEntries(
    Object.entries(given(value)).map(([property, inner]) => {
      const member = memberOf(shape, names[property] ?? property);
      const known = member === undefined ? undefined : shape.members?.[member];
      if (member === undefined || known === undefined) return [property, inner];
      return [member, toParameter(conversion, model.shape(service, known.shape), inner)];
    }),
  );
}

/** Maps (tags, dimensions) as most of AWS's services want them: a list of keys and values. */
function pairs(element: Shape, map: Properties): Value {
  const [key, value] = [/^(tag)?(key|name)$/i, /value$/i].map(
    pattern => Object.keys(element.members ?? {}).find(name => pattern.test(name)) ?? '',
  );
  return Object.entries(map).map(([name, text]) => ({ [key ?? '']: name, [value ?? '']: text }));
}

/** A map, as AWS answers it: as such, or as a list of keys and values. */
export function mapOf(answer: Value | undefined): Properties {
  if (isObject(answer)) return answer;
  return Object.fromEntries(
    objects(answer).map(pair => [
      text(pair.Key ?? pair.TagKey ?? pair.Name),
      pair.Value ?? pair.TagValue ?? '',
    ]),
  );
}

function memberOf(shape: Shape, name: string): string | undefined {
  return Object.keys(shape.members ?? {}).find(member => member.toLowerCase() === name.toLowerCase());
}

/** What the SDK has properties for, of what AWS answers. */
export function propertiesOf(
  types: SdkTypes,
  wanted: Interface,
  found: Properties,
  names: Names,
): Properties {
  const members = new Map(Object.entries(found).map(([member, value]) => [member.toLowerCase(), value]));
  return given(
    Object.fromEntries(
      Object.entries(wanted).map(([property, { kind }]) => {
        const value =
          members.get((names[property] ?? property).toLowerCase()) ?? members.get(property.toLowerCase());
        return [property, value === undefined ? undefined : fromAnswer(types, kind, value, names)];
      }),
    ),
  );
}

/** Undefined where AWS means something else by the name. */
function fromAnswer(types: SdkTypes, kind: Kind, value: Value, names: Names): Value | undefined {
  if (typeof kind === 'string') return primitive(kind, value);
  if ('list' in kind) {
    if (!isList(value)) return undefined;
    return value
      .map(element => fromAnswer(types, kind.list, element, names))
      .filter(element => element !== undefined);
  }
  if ('map' in kind) return mapOf(value);
  return isObject(value) ? propertiesOf(types, types.output(kind.object), value, names) : undefined;
}

/** A document of JSON, of which botocore makes an object and the SDK may. */
export function asText(document: string | Properties): string {
  return typeof document === 'string' ? document : JSON.stringify(document);
}

/** Attributes of topics and queues are strings, whatever they mean. */
function primitive(kind: Kind, value: Value): Value | undefined {
  if (kind === 'anything' || typeof value === kind) return value;
  if (kind === 'document' && (typeof value === 'string' || isObject(value))) return asText(value);
  if (kind === 'number' && typeof value === 'string' && /^\d+$/.test(value)) return Number(value);
  if (kind === 'boolean' && (value === 'true' || value === 'false')) return value === 'true';
  return undefined;
}
