import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { isList, isObject, unknown, type Properties, type Value } from './values';

/** A part of what goes into or comes out of an operation, as botocore's `service-2.json` describes it. */
export interface Shape {
  readonly type: string;
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly member?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly min?: number;
  readonly max?: number;
}

interface Service {
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

export interface Violation {
  /** Members from the operation's input down to what is wrong. */
  readonly path: readonly string[];
  readonly reason: string;
}

/** What AWS says of its own API: the models of botocore, which moto brings. */
export class AwsModel {
  private readonly services = new Map<string, Service>();

  /** @param directory botocore's `data` */
  constructor(private readonly directory: string) {}

  input(service: string, operation: string): Shape {
    const model = this.service(service);
    const found = model.operations[operation];
    if (found === undefined) throw new Error(`the API of ${service} has no operation ${operation}`);
    return found.input === undefined
      ? { type: 'structure', members: {} }
      : this.shape(service, found.input.shape);
  }

  shape(service: string, name: string): Shape {
    const found = this.service(service).shapes[name];
    if (found === undefined) throw new Error(`the model of ${service} has no shape ${name}`);
    return found;
  }

  /** What AWS would refuse before it looks at anything else. What isn't known yet is passed over. */
  violations(service: string, operation: string, parameters: Properties): Violation[] {
    return [...this.check(service, this.input(service, operation), parameters, [])];
  }

  private *check(service: string, shape: Shape, value: Value, at: readonly string[]): Generator<Violation> {
    if (value === unknown) return;
    const is = kinds[shape.type];
    if (is === undefined) throw new Error(`the model of ${service} has shapes of type ${shape.type}`);
    if (!is(value)) {
      yield { path: at, reason: `AWS wants a ${shape.type}, not a ${typeof value}` };
      return;
    }
    yield* limits(shape, value).map(reason => ({ path: at, reason }));
    if (isList(value) && shape.member !== undefined)
      for (const element of value)
        yield* this.check(service, this.shape(service, shape.member.shape), element, at);
    if (isObject(value) && shape.type === 'structure') yield* this.checkMembers(service, shape, value, at);
    if (isObject(value) && shape.type === 'map' && shape.value !== undefined)
      for (const [key, inner] of Object.entries(value))
        yield* this.check(service, this.shape(service, shape.value.shape), inner, [...at, key]);
  }

  private *checkMembers(
    service: string,
    shape: Shape,
    value: Properties,
    at: readonly string[],
  ): Generator<Violation> {
    for (const name of shape.required ?? [])
      if (value[name] === undefined) yield { path: [...at, name], reason: 'AWS requires it' };
    for (const [name, inner] of Object.entries(value)) {
      const member = shape.members?.[name];
      if (member === undefined) yield { path: [...at, name], reason: 'AWS knows no such parameter' };
      else yield* this.check(service, this.shape(service, member.shape), inner, [...at, name]);
    }
  }

  private service(name: string): Service {
    const known = this.services.get(name);
    if (known !== undefined) return known;
    const versions = path.join(this.directory, name);
    const newest = fs.readdirSync(versions).sort().at(-1);
    const file = path.join(versions, newest ?? '', 'service-2.json');
    const json = fs.existsSync(file) ? fs.readFileSync(file) : zlib.gunzipSync(fs.readFileSync(`${file}.gz`));
    const service = JSON.parse(json.toString('utf8')) as Service;
    this.services.set(name, service);
    return service;
  }
}

const isNumber = (value: Value): boolean => typeof value === 'number';
const isInteger = (value: Value): boolean => Number.isInteger(value);
const isString = (value: Value): boolean => typeof value === 'string';

/** What a value of each type of shape is in JSON. Archives are given as where they lie. */
const kinds: Readonly<Record<string, (value: Value) => boolean>> = {
  structure: isObject,
  map: isObject,
  list: isList,
  string: isString,
  boolean: value => typeof value === 'boolean',
  integer: isInteger,
  long: isInteger,
  float: isNumber,
  double: isNumber,
  blob: value => isString(value) || isObject(value),
  timestamp: value => isString(value) || isNumber(value),
};

function limits({ enum: allowed, pattern, min, max }: Shape, value: Value): string[] {
  const found: string[] = [];
  if (typeof value === 'string' && allowed !== undefined && !allowed.includes(value))
    found.push(`AWS allows ${allowed.join(', ')}, not ${JSON.stringify(value)}`);
  if (typeof value === 'string' && pattern !== undefined && !expression(pattern).test(value))
    found.push(`AWS allows what matches ${pattern}`);
  const size = sizeOf(value);
  const what = typeof value === 'number' ? '' : 'a length of ';
  if (min !== undefined && size < min) found.push(`AWS allows no less than ${what}${min}, not ${size}`);
  if (max !== undefined && size > max) found.push(`AWS allows no more than ${what}${max}, not ${size}`);
  return found;
}

/** What `min` and `max` are of. */
function sizeOf(value: Value): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' || isList(value) ? value.length : NaN;
}

/** The models' patterns are Java's: what it escapes without need, a Unicode-aware expression of JavaScript's refuses. */
function expression(pattern: string): RegExp {
  return new RegExp(pattern.replace(/\\([_@:"'#%=<>~,;&! ])/g, '$1'), 'su');
}
