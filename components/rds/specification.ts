import * as ssm from '@pulumi/aws/ssm';
import * as pulumi from '@pulumi/pulumi';
import { HoldfastError } from '../../core/errors';
import { parameterPath, specificationParameter } from '../../core/rds/names';
import { reporting } from '../failure';
import { tagsFor, type RdsCluster } from './context';

export interface RdsSpecificationArgs {
  readonly cluster: RdsCluster;
  /** What the cluster shall be; contains secrets. */
  readonly document: pulumi.Input<object>;
}

/**
 * What a cluster shall be, as jobs and the Lambda read it: encrypted in the Parameter Store, as
 * `/holdfast/<cluster>/specification`. Only Pulumi writes it.
 */
export class RdsSpecificationParameter extends pulumi.ComponentResource {
  readonly parameter: ssm.Parameter;

  constructor(name: string, args: RdsSpecificationArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:rds:RdsSpecification', name, {}, opts);
    const { cluster, document } = args;
    this.parameter = new ssm.Parameter(
      `${name}-parameter`,
      {
        name: parameterPath(cluster.cluster, specificationParameter),
        description: `What cluster ${cluster.cluster} shall be. Written by Pulumi.`,
        type: 'SecureString',
        // A standard parameter as long as it fits into 4 KB.
        tier: 'Intelligent-Tiering',
        value: pulumi.secret(pulumi.output(document).apply(reporting(specificationText))),
        tags: tagsFor(cluster),
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}

/** https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html */
const largestParameter = 8192;

/** @throws HoldfastError `configuration` when the Parameter Store has no room for it. */
export function specificationText(document: object): string {
  const text = JSON.stringify(document);
  const bytes = Buffer.byteLength(text);
  if (bytes <= largestParameter) return text;
  throw new HoldfastError(
    'configuration',
    `the settings of the cluster take ${bytes} bytes as JSON, and a parameter of AWS holds ${largestParameter}`,
    { hint: 'Shorten the longest: backups.verification.checks, mostly.' },
  );
}
