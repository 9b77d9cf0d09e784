import type { Aws } from './aws';
import type { AwsModel } from './aws-model';
import { parametersOf } from './parameters';
import type { Refusal, Request, Resource, ResourceType, Step } from './resource-type';
import type { SdkTypes } from './sdk-types';
import { given, object, pick, unknown, without, type Properties } from './values';

export interface Configuration {
  readonly region: string;
  readonly defaultTags: Properties;
}

export interface World {
  readonly aws: Aws;
  readonly model: AwsModel;
  readonly types: SdkTypes;
}

/** A request, with what it says of which property. */
export interface Said {
  readonly request: Request;
  /** The property that each parameter was. */
  readonly origin: Readonly<Record<string, string>>;
  readonly carried: readonly string[];
}

/** Inputs that nobody gave: the real provider lists them here too. */
export const defaulted = '__defaults';

/** The calls of AWS's API that resources of one type become. */
export class Calls {
  private readonly args;

  constructor(
    token: string,
    private readonly type: ResourceType,
    private readonly configuration: Configuration,
    private readonly world: World,
  ) {
    this.args = world.types.args(token);
  }

  /** What makes the resource. */
  creation(resource: Resource): Said {
    const { create } = this.type;
    const step = typeof create === 'function' ? create(resource.inputs) : create;
    return this.saying(step, { ...resource, inputs: this.withTags(resource.inputs) });
  }

  /** What changes it in place: undefined when its type has no such call. */
  update(resource: Resource): Said | undefined {
    const { update } = this.type;
    // Once it exists, tags have calls of their own.
    const untagged = { ...resource, inputs: without(resource.inputs, 'tags') };
    return update === undefined ? undefined : this.saying(update, untagged);
  }

  /** What is called for properties that have calls of their own, if one of them changed. */
  setting({ changed, ...resource }: Resource): { readonly property: string; readonly request: Request }[] {
    return (this.type.set ?? [])
      .filter(({ of }) => of.some(name => changed.includes(name)))
      .flatMap(({ of, requests }) =>
        requests({ ...resource, changed }).map(request => ({ property: of[0] ?? '', request })),
      );
  }

  /** Everything that is called for what changed. */
  changing(resource: Resource): Request[] {
    const requests = this.setting(resource).map(({ request }) => request);
    if (resource.changed.includes('tags')) requests.push(...this.tagging(resource));
    const said = this.update(resource);
    // Last: it may give the resource another name.
    if (said?.carried.some(name => resource.changed.includes(name)) === true) requests.push(said.request);
    return requests;
  }

  /** What AWS's model says against a request. */
  violations({ operation, parameters }: Request, property: (parameter: string) => string): Refusal[] {
    return this.world.model.violations(this.type.service, operation, parameters).map(({ path, reason }) => ({
      property: property(path[0] ?? ''),
      reason: `${reason} (${operation}: ${path.join('.')})`,
    }));
  }

  /** @throws AwsError when AWS refuses */
  async send({ operation, parameters }: Request, { region }: Resource): Promise<Properties> {
    const violations = this.violations({ operation, parameters }, () => '');
    if (violations.length > 0) throw new Error(violations.map(({ reason }) => reason).join('; '));
    if (this.lacks(operation)) return {};
    return this.world.aws.call({ region, service: this.type.service, operation, parameters });
  }

  /** Whether moto has no such operation. */
  lacks(operation: string): boolean {
    return this.type.lacking?.includes(operation) === true;
  }

  private saying(step: Step, resource: Resource): Said {
    const { inputs, changed } = resource;
    const properties =
      step.changesOnly === true ? { ...this.withdrawn(changed), ...pick(inputs, changed) } : inputs;
    const own = this.convert(step.operation, without(properties, defaulted));
    const more = this.convert(step.operation, given(step.adds?.(resource) ?? {}));
    return {
      request: { operation: step.operation, parameters: { ...own.parameters, ...more.parameters } },
      origin: own.origin,
      carried: [...Object.values(own.origin), ...(step.carries ?? [])],
    };
  }

  /** What is no longer given is off or empty, as upstream has it; of numbers and texts AWS has no such value. */
  private withdrawn(changed: readonly string[]): Properties {
    const emptied = changed.map(name => {
      const kind = this.args[name]?.kind;
      return [
        name,
        kind === 'boolean' ? false : typeof kind === 'object' && 'list' in kind ? [] : null,
      ] as const;
    });
    return given(Object.fromEntries(emptied));
  }

  private tagging(resource: Resource): Request[] {
    const { tagging } = this.type;
    if (tagging === undefined) return [];
    const wanted = this.allTags(resource.inputs);
    const gone = Object.keys(object(resource.state.tagsAll)).filter(key => !(key in wanted));
    const named = tagging.of(resource);
    const added = this.convert(tagging.add, { tags: wanted }).parameters;
    const removal = {
      operation: tagging.remove,
      parameters: { ...named, [tagging.keys ?? 'TagKeys']: gone },
    };
    const addition = { operation: tagging.add, parameters: { ...named, ...added } };
    return [...(gone.length > 0 ? [removal] : []), ...(Object.keys(wanted).length > 0 ? [addition] : [])];
  }

  private withTags(properties: Properties): Properties {
    const tags = this.allTags(properties);
    return Object.keys(tags).length === 0 ? properties : { ...properties, tags };
  }

  private allTags({ tags }: Properties): Properties {
    return tags === unknown ? {} : { ...this.configuration.defaultTags, ...object(tags ?? null) };
  }

  private convert(operation: string, words: Properties) {
    const { service, names = {} } = this.type;
    return parametersOf(this.world.model, { service, operation, names }, words);
  }
}
