import * as pulumi from '@pulumi/pulumi';
import type { RdsSpecification } from '../../core/specification';
import { verdictOn } from '../../jobs/host-calls';
import { parseAccess } from '../applied';
import type { RdsPlan, StackContext } from '../context';
import { knownCredentials } from '../credentials';
import { DatabaseCatalog } from '../database-catalog';
import { reporting } from '../failure';
import type { HostCommand } from '../host-command';
import type { ClusterOutputs } from '../outputs';
import { RdsBackups } from './backups';
import { placeOf, type RdsCluster } from './context';
import { recordApply, recordBegin } from './record';
import { routeTo, type Route } from './reachable';
import { Regions } from './regions';
import { RdsSchedule } from './schedule';
import { servingInstance } from './serving';
import { RdsSpecificationParameter } from './specification';
import { RdsTelling } from './telling';

export interface ProtectedRdsArgs {
  readonly plan: RdsPlan;
  readonly context: StackContext;
  /** The bundled program that the Lambda runs; it exports `handler`. */
  readonly program: { readonly file: string };
}

/** What a stack says of one cluster on RDS. */
export interface RdsOutputs extends ClusterOutputs {
  readonly resourceId: pulumi.Output<string>;
  /** ARN of the secret with the master password; null when RDS doesn't manage it. Secret. */
  readonly masterSecretArn: pulumi.Output<string | null>;
}

/**
 * One DB instance of Amazon RDS that is backed up, watched and kept up unattended, and the databases inside it where the
 * settings say how they are reached. With the source `existing` nothing of the instance itself is managed, and all the rest stands.
 */
export class ProtectedRds extends pulumi.ComponentResource {
  /** The name of the cluster. */
  readonly cluster: string;
  readonly outputs: RdsOutputs;
  /** Passwords of the roles that log in, by role; none where databases aren't managed. Secret. */
  readonly passwords: pulumi.Output<Record<string, string>>;

  constructor(name: string, args: ProtectedRdsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('holdfast:rds:ProtectedRds', name, {}, opts);
    const { plan, context, program } = args;
    const { specification } = plan;
    const { settings } = specification;
    const route = routeTo(settings);
    const regions = new Regions(name, this);
    const provider = regions.provider(settings.region);
    const cluster: RdsCluster = {
      cluster: specification.cluster,
      environment: specification.environment,
      settings,
      place: placeOf(settings.region, { parent: this, provider }),
    };
    const here = { parent: this, providers: [provider] };

    // Before anything is created, it is known that there is such a cluster.
    const begun = recordBegin(`${name}-begin`, plan, context, { parent: this });
    const serving = servingInstance(`${name}-instance`, cluster, {
      parent: this,
      provider,
      dependsOn: [begun],
    });
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
    const written = new RdsSpecificationParameter(
      `${name}-specification`,
      { cluster, document: complete(specification, serving.quarantine) },
      here,
    );
    const applied = recordApply(`${name}-apply`, plan, context, {
      parent: this,
      dependsOn: [begun, written, ...serving.resources],
    });
    new RdsSchedule(
      `${name}-schedule`,
      { cluster, program, keyArn: serving.keyArn, topicArn: telling.topicArn },
      { ...here, dependsOn: [written, applied] },
    );

    this.cluster = specification.cluster;
    this.passwords =
      route === undefined
        ? pulumi.secret<Record<string, string>>({})
        : catalogOf(`${name}-catalog`, { plan, context, route, applied }, { parent: this }).passwords;
    this.outputs = {
      host: serving.host,
      port: serving.port,
      resourceId: serving.resourceId,
      masterSecretArn: pulumi.secret(serving.masterSecretArn),
      // Read when all else is done: what is true after the update.
      verdict: pulumi.unsecret(applied.stdout).apply(() => verdictOn(specification, { home: context.home })),
    };
    this.registerOutputs({ ...this.outputs });
  }
}

/** The databases inside it, reached as the settings say. */
function catalogOf(
  name: string,
  made: {
    readonly plan: RdsPlan;
    readonly context: StackContext;
    readonly route: Route;
    readonly applied: HostCommand;
  },
  options: pulumi.ComponentResourceOptions,
): DatabaseCatalog {
  const { plan, context, route, applied: cluster } = made;
  const access = pulumi.secret(cluster.stdout.apply(reporting(parseAccess)));
  const credentials = knownCredentials(plan, context, access);
  return new DatabaseCatalog(
    name,
    { plan, context, credentials, reach: () => route(credentials), cluster },
    options,
  );
}

/** The specification with what is only known once it is made. */
function complete(
  specification: RdsSpecification,
  quarantine: pulumi.Output<string | undefined>,
): pulumi.Output<object> {
  const { settings } = specification;
  return quarantine.apply(group => ({
    ...specification,
    settings: { ...settings, ...(group === undefined ? {} : { quarantineSecurityGroup: group }) },
  }));
}
