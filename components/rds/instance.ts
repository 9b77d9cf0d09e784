import * as rds from '@pulumi/aws/rds';
import * as pulumi from '@pulumi/pulumi';
import { finalSnapshotName } from '../../core/rds/final-snapshot';
import { majorOf, parameterGroupName, parametersOf } from '../../core/rds/parameter-group';
import type { ManagedInstance } from '../../core/settings/rds';
import { reporting } from '../failure';
import { stateful } from '../protection';
import { tagsFor, type RdsCluster } from './context';
import { servingInputs } from './instance-inputs';
import { encryptionKey } from './key';
import { accessGroup, quarantineGroup } from './network';

export interface RdsInstanceArgs {
  readonly cluster: RdsCluster;
  readonly source: ManagedInstance;
}

/**
 * A DB instance of Amazon RDS for PostgreSQL, with the network, the key and the parameters that it lies in.
 *
 * Encrypted, without a public address, TLS only, its master password in Secrets Manager. In production it has a standby, and
 * neither Pulumi nor AWS deletes it; wherever it is deleted, a final snapshot and the automated backups stay. Changes wait for the
 * maintenance window unless `applyImmediately` says otherwise.
 */
export class RdsInstance extends pulumi.ComponentResource {
  readonly instance: rds.Instance;
  /** The KMS key of all that is kept of it in its region. */
  readonly keyArn: pulumi.Output<string>;
  /** The security group into which a restore to the latest moment moves the instance. */
  readonly quarantine: pulumi.Output<string>;

  constructor(name: string, args: RdsInstanceArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:rds:RdsInstance', name, {}, opts);
    const { cluster, source } = args;
    const { instance } = cluster.settings;
    const here = { parent: this };

    this.keyArn = encryptionKey(
      `${name}-key`,
      { cluster, given: source.kmsKey, description: `Storage, snapshots and master secret of ${instance}` },
      here,
    );
    const access = accessGroup(`${name}-access`, cluster, source, here);
    this.quarantine = pulumi.output(quarantineGroup(`${name}-quarantine`, cluster, source, here));
    const subnetGroup = new rds.SubnetGroup(
      `${name}-subnets`,
      {
        description: `Subnets of ${instance}`,
        subnetIds: [...source.network.subnets],
        tags: tagsFor(cluster),
      },
      here,
    );
    this.instance = new rds.Instance(
      `${name}-db`,
      servingInputs(cluster, source, {
        keyArn: this.keyArn,
        subnetGroup: subnetGroup.name,
        securityGroup: access.id,
        parameterGroup: parameterGroup(`${name}-parameters`, args, here).name,
        finalSnapshot: pulumi
          .all([access.id, this.keyArn])
          .apply(reporting(made => finalSnapshotName(instance, [...made, source.masterUser]))),
      }),
      { ...here, ...stateful(cluster) },
    );
    this.registerOutputs({ keyArn: this.keyArn, quarantine: this.quarantine });
  }
}

/**
 * One a major version: that of the next one is there before the instance moves to it, and the last one goes afterwards. Protected
 * it couldn't go; AWS refuses to delete one that is in use.
 */
function parameterGroup(
  name: string,
  { cluster, source }: RdsInstanceArgs,
  options: pulumi.CustomResourceOptions,
): rds.ParameterGroup {
  const { instance } = cluster.settings;
  return new rds.ParameterGroup(
    name,
    {
      name: parameterGroupName(instance, source.version),
      family: `postgres${majorOf(source.version)}`,
      description: `Parameters of ${instance}`,
      parameters: parametersOf(source.parameters),
      tags: tagsFor(cluster),
    },
    { ...options, deleteBeforeReplace: false },
  );
}
