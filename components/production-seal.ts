import * as pulumi from '@pulumi/pulumi';
import type { Specification } from '../core/specification';
import type { StackContext } from './context';
import { placeOf } from '../jobs/where';
import { hostCommand } from './host-command';

export interface ProductionSealArgs {
  readonly specifications: readonly Specification[];
  readonly context: StackContext;
}

/**
 * The last word before production is deleted. For each cluster one resource that depends on everything else, so that a destroy
 * meets it first, and whose deletion runs `holdfast host seal` on the cluster's machine, which refuses while the cluster holds
 * data, or when the machine can't tell. `--ignore-protect` doesn't get past it. Nothing is created.
 */
export class ProductionSeal extends pulumi.ComponentResource {
  constructor(
    name: string,
    args: ProductionSealArgs,
    opts: pulumi.ComponentResourceOptions & { dependsOn: pulumi.Resource[] },
  ) {
    super('holdfast:index:ProductionSeal', name, {}, opts);
    for (const specification of args.specifications) {
      const { cluster, settings } = specification;
      const place = placeOf(settings);
      hostCommand(
        `${name}-${cluster}`,
        {
          place,
          delete: 'seal',
          // On a machine it is known what was applied.
          document: place.type === 'aws' ? { cluster, specification } : { cluster },
        },
        args.context,
        { parent: this, dependsOn: opts.dependsOn, protect: true },
      );
    }
    this.registerOutputs();
  }
}
