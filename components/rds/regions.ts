import { Provider } from '@pulumi/aws/provider';
import type * as pulumi from '@pulumi/pulumi';

/** The providers of a cluster: one a region, made when something is first made there. */
export class Regions {
  private readonly providers = new Map<string, Provider>();

  constructor(
    private readonly name: string,
    private readonly parent: pulumi.Resource,
  ) {}

  /** With the credentials that AWS’s SDK finds. */
  provider(region: string): Provider {
    const made =
      this.providers.get(region) ??
      new Provider(`${this.name}-aws-${region}`, { region }, { parent: this.parent });
    this.providers.set(region, made);
    return made;
  }
}
