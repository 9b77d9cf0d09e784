import * as pulumi from '@pulumi/pulumi';
import type { RdsSettings } from '../../core/settings/rds';
import type { Environment } from '../../core/settings/stack';
import { RdsBackups } from './backups';
import { placeOf, type RdsCluster } from './context';
import { Regions } from './regions';
import { RdsSchedule } from './schedule';
import { servingInstance } from './serving';
import { RdsSpecification } from './specification';
import { RdsTelling } from './telling';

/** What a cluster on RDS shall be: the document that jobs read, of which the components use these. */
export interface RdsClusterSpecification {
  readonly cluster: string;
  readonly environment: Environment;
  readonly settings: RdsSettings & {
    /** Recovery point objective, in seconds. */
    readonly backups: { readonly rpo: number };
  };
}

export interface ProtectedRdsArgs {
  readonly specification: RdsClusterSpecification;
  /** The bundled program that the Lambda runs; it exports `handler`. */
  readonly program: { readonly file: string };
}

/** What a stack says of one cluster on RDS. */
export interface RdsOutputs {
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  readonly resourceId: pulumi.Output<string>;
  /** ARN of the secret with the master password; null when RDS doesn't manage it. Secret. */
  readonly masterSecretArn: pulumi.Output<string | null>;
}

/**
 * One DB instance of Amazon RDS that is backed up, watched and kept up unattended. With the source `existing` nothing of the
 * instance itself is managed, and all the rest stands.
 */
export class ProtectedRds extends pulumi.ComponentResource {
  /** The name of the cluster. */
  readonly cluster: string;
  readonly outputs: RdsOutputs;

  constructor(name: string, args: ProtectedRdsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:rds:ProtectedRds', name, {}, opts);
    const { specification, program } = args;
    const { settings } = specification;
    const regions = new Regions(name, this);
    const provider = regions.provider(settings.region);
    const cluster: RdsCluster = {
      cluster: specification.cluster,
      environment: specification.environment,
      settings,
      place: placeOf(settings.region, { parent: this, provider }),
    };
    const here = { parent: this, providers: [provider] };

    const serving = servingInstance(`${name}-instance`, cluster, this, provider);
    new RdsBackups(
      `${name}-backups`,
      { cluster, instanceArn: serving.arn, keyArn: serving.keyArn, regions },
      here,
    );
    const telling = new RdsTelling(
      `${name}-telling`,
      { cluster, instance: serving.identifier, rpo: settings.backups.rpo },
      here,
    );
    const written = new RdsSpecification(
      `${name}-specification`,
      { cluster, document: complete(specification, serving.quarantine) },
      here,
    );
    new RdsSchedule(
      `${name}-schedule`,
      { cluster, program, keyArn: serving.keyArn, topicArn: telling.topicArn },
      { ...here, dependsOn: [written] },
    );

    this.cluster = specification.cluster;
    this.outputs = {
      host: serving.host,
      port: serving.port,
      resourceId: serving.resourceId,
      masterSecretArn: pulumi.secret(serving.masterSecretArn),
    };
    this.registerOutputs({ ...this.outputs });
  }
}

/** The specification with what is only known once it is made. */
function complete(
  specification: RdsClusterSpecification,
  quarantine: pulumi.Output<string | undefined>,
): pulumi.Output<object> {
  const { settings } = specification;
  return quarantine.apply(group => ({
    ...specification,
    settings: { ...settings, ...(group === undefined ? {} : { quarantineSecurityGroup: group }) },
  }));
}
