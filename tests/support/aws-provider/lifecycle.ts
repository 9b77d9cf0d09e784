import { AwsError } from './aws';
import { Calls, defaulted, type Configuration, type World } from './calls';
import { typeErrors } from './checks';
import { asText, mapOf, propertiesOf } from './parameters';
import type { Refusal, Resource, ResourceType } from './resource-type';
import { given, isObject, object, pick, same, unknown, without, type Properties, type Value } from './values';

export interface Known {
  readonly id: string;
  readonly inputs: Properties;
  readonly state: Properties;
}

export interface Checked {
  readonly inputs: Properties;
  readonly refusals: readonly Refusal[];
}

export interface Difference {
  readonly changed: readonly string[];
  readonly replaces: readonly string[];
  readonly deleteBeforeReplace: boolean;
}

/** The life of resources of one type, as the engine asks for it. */
export class Lifecycle {
  private readonly args;
  private readonly outputs;
  private readonly calls: Calls;

  constructor(
    private readonly token: string,
    private readonly type: ResourceType,
    private readonly configuration: Configuration,
    private readonly world: World,
  ) {
    this.args = world.types.args(token);
    this.outputs = world.types.state(token);
    this.calls = new Calls(token, type, configuration, world);
  }

  /** Fills in what isn't given, and refuses what the SDK, the real provider or AWS's model does not allow. */
  check(news: Properties, olds: Properties, makeName: () => string): Checked {
    const { autonamed } = this.type;
    const asked = without(given(news), defaulted);
    const refusals = typeErrors(this.world.types, this.args, asked);
    const defaults: Record<string, Value> = { ...this.type.defaults };
    if ('region' in this.args) defaults.region = this.configuration.region;
    if (autonamed !== undefined && asked[`${autonamed}Prefix`] === undefined)
      defaults[autonamed] = isDefaulted(olds, autonamed) ? (olds[autonamed] ?? null) : makeName();
    const names = Object.keys(defaults).filter(name => asked[name] === undefined);
    const inputs = { ...defaults, ...this.withDocuments(asked) };
    refusals.push(...(this.type.refuses?.(inputs) ?? []));
    if (refusals.length === 0) refusals.push(...this.violations(inputs));
    return { inputs: { ...inputs, [defaulted]: names.sort() }, refusals };
  }

  /** What differs, and whether it needs another resource. */
  difference(old: Known, news: Properties): Difference {
    const before = this.resource(old, old.inputs);
    const changed = [...new Set([...Object.keys(old.inputs), ...Object.keys(news)])]
      .filter(name => name !== defaulted && !same(old.inputs[name], news[name]))
      .filter(name => this.type.ignores?.(name, before, news) !== true);
    const replaces = changed.filter(name => name === 'region' || this.type.replaces?.includes(name) === true);
    const { autonamed } = this.type;
    // Two can't have the name that somebody chose.
    const deleteBeforeReplace =
      autonamed !== undefined && !isDefaulted(news, autonamed) && !changed.includes(autonamed);
    return { changed, replaces, deleteBeforeReplace: replaces.length > 0 && deleteBeforeReplace };
  }

  /** What will be known once it is created. */
  planned(inputs: Properties): Properties {
    const computed = Object.entries(this.outputs).filter(([, { optional }]) => !optional);
    return {
      ...Object.fromEntries(computed.map(([name]) => [name, unknown])),
      ...without(inputs, defaulted),
    };
  }

  async create(inputs: Properties): Promise<{ readonly id: string; readonly state: Properties }> {
    const resource = this.resource({ id: '', inputs: {}, state: {} }, inputs);
    const { request, carried } = this.calls.creation(resource);
    const id = this.type.id(resource, await this.calls.send(request, resource));
    // Calls after the first may need what AWS made of it, such as its ARN.
    const made = { ...resource, id, state: (await this.readState({ ...resource, id }))?.state ?? inputs };
    const rest = { ...made, changed: resource.changed.filter(name => !carried.includes(name)) };
    const requests = this.calls.changing(rest);
    for (const further of requests) await this.calls.send(further, rest);
    return {
      id,
      state: requests.length === 0 ? made.state : ((await this.readState(made))?.state ?? inputs),
    };
  }

  /** What is there now, and what the program would have to say for it; undefined when it is gone. */
  async read(old: Known): Promise<Known | undefined> {
    const resource = this.resource(old, old.inputs);
    const found = await this.readState(resource);
    if (found === undefined) return undefined;
    const { id, state } = found;
    if (Object.keys(old.inputs).length === 0) return { id, state, inputs: this.asInputs(state) };
    const drifted = Object.keys(old.inputs).filter(
      name => state[name] !== undefined && !same(state[name], old.state[name]),
    );
    const inputs = { ...old.inputs, ...Object.fromEntries(drifted.map(name => [name, state[name] ?? null])) };
    return { id, state, inputs };
  }

  async update(old: Known, inputs: Properties): Promise<Properties> {
    const { changed } = this.difference(old, inputs);
    const resource = { ...this.resource(old, inputs), changed };
    for (const request of this.calls.changing(resource)) await this.calls.send(request, resource);
    // Under another name it is another resource to the calls that read it.
    const renamed = { ...resource, state: { ...resource.state, ...without(inputs, defaulted) } };
    return (await this.readState(renamed))?.state ?? renamed.state;
  }

  async delete(old: Known): Promise<void> {
    const resource = this.resource(old, old.inputs);
    for (const request of this.type.delete?.(resource) ?? [])
      await this.calls.send(request, resource).catch(unlessNotFound);
  }

  /** What AWS says of it. */
  private async readState(
    resource: Resource,
  ): Promise<{ readonly id: string; readonly state: Properties } | undefined> {
    const { read, outputs, names = {} } = this.type;
    const asked = without({ ...resource.state, ...resource.inputs }, defaulted);
    if (read === undefined || this.calls.lacks(read.operation))
      return { id: resource.id, state: { ...asked, ...given(outputs?.({}, resource) ?? {}) } };
    const request = { operation: read.operation, parameters: read.parameters(resource) };
    const answer = await this.calls.send(request, resource).catch(unlessNotFound);
    const found = answer === undefined ? undefined : read.found(answer, resource);
    if (found === undefined) return undefined;
    const mapped = {
      ...propertiesOf(this.world.types, this.outputs, found, names),
      ...given(outputs?.(found, resource) ?? {}),
    };
    const id = read.id?.(found) ?? resource.id;
    const tags = await this.readTags({ ...resource, id, state: { ...resource.state, ...mapped } }, found);
    return { id, state: inWordsOf(resource.inputs, { ...asked, ...mapped, ...tags }) };
  }

  private async readTags(resource: Resource, found: Properties): Promise<Properties> {
    const { tagging } = this.type;
    if (tagging === undefined || !('tagsAll' in this.outputs)) return {};
    const answer =
      tagging.list === undefined
        ? found
        : await this.calls.send({ operation: tagging.list, parameters: tagging.of(resource) }, resource);
    const list = Object.entries(answer).find(([name]) => /^tag(s|list|set)$/i.test(name))?.[1];
    const tagsAll = mapOf(list);
    const own = object(resource.inputs.tags);
    const tags = Object.fromEntries(
      Object.entries(tagsAll).filter(
        ([key, value]) => key in own || this.configuration.defaultTags[key] !== value,
      ),
    );
    return { tagsAll, tags };
  }

  /** The real provider, too, makes text of documents that a program gives as objects. */
  private withDocuments(asked: Properties): Properties {
    return Object.fromEntries(
      Object.entries(asked).map(([name, value]) => [
        name,
        this.args[name]?.kind === 'document' && isObject(value) ? asText(value) : value,
      ]),
    );
  }

  /** What AWS's model says against the properties, and properties that this provider has no call for. */
  private violations(inputs: Properties): Refusal[] {
    const resource = this.resource({ id: unknown, inputs: {}, state: this.planned(inputs) }, inputs);
    const { set = [], settings = [], tagging } = this.type;
    const { request, carried, origin } = this.calls.creation(resource);
    const known = [
      ...carried,
      ...(this.calls.update(resource)?.carried ?? []),
      ...set.flatMap(({ of }) => of),
      ...settings,
      ...(tagging === undefined ? [] : ['tags']),
      ...['region', defaulted],
    ];
    const uncarried = Object.keys(inputs)
      .filter(name => !known.includes(name))
      .map(property => ({ property, reason: `${this.token}: the provider for tests does not carry it` }));
    const rest = { ...resource, changed: resource.changed.filter(name => !carried.includes(name)) };
    return [
      ...uncarried,
      ...this.calls.violations(request, name => origin[name] ?? ''),
      ...this.calls
        .setting(rest)
        .flatMap(({ property, request: later }) => this.calls.violations(later, () => property)),
    ];
  }

  private resource({ id, state }: Known, inputs: Properties): Resource {
    const region = typeof inputs.region === 'string' ? inputs.region : this.configuration.region;
    return { id, inputs, state, region, changed: Object.keys(inputs).filter(name => name !== defaulted) };
  }

  /** What a program would say of a resource that is only known from AWS: what was found of its arguments. */
  private asInputs(state: Properties): Properties {
    return { ...pick(state, Object.keys(this.args)), [defaulted]: [] };
  }
}

/** What isn't there needn't be deleted, and can't be read. */
function unlessNotFound(error: unknown): undefined {
  if (!(error instanceof AwsError && error.isNotFound)) throw error;
}

function isDefaulted(inputs: Properties, name: string): boolean {
  const names = inputs[defaulted];
  return Array.isArray(names) && names.includes(name);
}

/** Of what means the same, the program's own words: a policy is read back in another order. */
function inWordsOf(inputs: Properties, state: Properties): Properties {
  return Object.fromEntries(
    Object.entries(state).map(([name, value]) => [
      name,
      same(inputs[name], value) ? (inputs[name] ?? value) : value,
    ]),
  );
}
