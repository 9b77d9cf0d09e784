import { AwsModel } from './aws-model';
import { Aws } from './aws';
import type { Configuration, World } from './calls';
import { typeErrors } from './checks';
import { functions } from './functions';
import { Lifecycle } from './lifecycle';
import type { Refusal } from './resource-type';
import { resourceTypes } from './resource-types';
import { SdkTypes } from './sdk-types';
import { object, type Properties, type Value } from './values';

export interface Installation {
  /** The npm package `@pulumi/aws`. */
  readonly sdk: string;
  /** A Python with botocore. */
  readonly python: string;
  /** botocore's `data`. */
  readonly models: string;
}

/** The provider `aws`, as far as Holdfast uses it: the rest is refused by name. */
export class Provider {
  private configuration: Configuration | undefined;
  private readonly lifecycles = new Map<string, Lifecycle>();
  private readonly world: World;

  constructor({ sdk, python, models }: Installation) {
    this.world = { aws: new Aws(python), model: new AwsModel(models), types: new SdkTypes(sdk) };
  }

  checkConfiguration(news: Properties): { inputs: Properties; refusals: readonly Refusal[] } {
    const wanted = this.world.types.args('aws:provider:Provider');
    // Everything but strings comes as JSON in a string.
    const refusals = Object.keys(news)
      .filter(name => name !== 'version' && !(name in wanted))
      .map(property => ({ property, reason: 'unknown property' }));
    return { inputs: news, refusals };
  }

  configure(args: Properties): void {
    const { region = process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION } = args;
    if (typeof region !== 'string') throw new Error('the provider has no region: set aws:region');
    const tags = parsed(args.defaultTags);
    this.configuration = { region, defaultTags: object(object(tags).tags) };
  }

  lifecycle(token: string): Lifecycle {
    const known = this.lifecycles.get(token);
    if (known !== undefined) return known;
    const type = resourceTypes[token];
    if (type === undefined) throw new Error(`the provider for tests carries no ${token}`);
    const made = new Lifecycle(token, type, this.configured(), this.world);
    this.lifecycles.set(token, made);
    return made;
  }

  async invoke(
    token: string,
    args: Properties,
  ): Promise<{ result: Properties; refusals: readonly Refusal[] }> {
    const invoked = functions[token];
    if (invoked === undefined) throw new Error(`the provider for tests carries no ${token}`);
    const refusals = typeErrors(this.world.types, this.world.types.functionArgs(token), args);
    if (refusals.length > 0) return { result: {}, refusals };
    const { region } = this.configured();
    const at = typeof args.region === 'string' ? args.region : region;
    const result = await invoked(args, {
      region: at,
      types: this.world.types,
      call: (service, operation, parameters) =>
        this.world.aws.call({ region: at, service, operation, parameters }),
    });
    return { result, refusals: [] };
  }

  close(): void {
    this.world.aws.close();
  }

  private configured(): Configuration {
    if (this.configuration === undefined) throw new Error('the provider has not been configured');
    return this.configuration;
  }
}

function parsed(value: Value | undefined): Value | undefined {
  return typeof value === 'string' ? (JSON.parse(value) as Value) : value;
}
