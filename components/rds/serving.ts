import * as rds from '@pulumi/aws/rds';
import * as pulumi from '@pulumi/pulumi';
import type { RdsCluster } from './context';
import { RdsInstance } from './instance';

/** The instance of a cluster, whoever made it. */
export interface ServingInstance {
  /** What is made of it; none for one that exists. */
  readonly resources: readonly pulumi.Resource[];
  readonly identifier: pulumi.Output<string>;
  readonly arn: pulumi.Output<string>;
  readonly host: pulumi.Output<string>;
  readonly port: pulumi.Output<number>;
  /** AWS's own name of it, which no other ever gets. */
  readonly resourceId: pulumi.Output<string>;
  /** ARN of the key that encrypts it; undefined when it isn't encrypted. */
  readonly keyArn: pulumi.Output<string | undefined>;
  /** ARN of the master secret; null when RDS doesn't manage the password. */
  readonly masterSecretArn: pulumi.Output<string | null>;
  /** The security group of a restore to the latest moment, when there is one. */
  readonly quarantine: pulumi.Output<string | undefined>;
}

interface Serving {
  readonly parent: pulumi.Resource;
  readonly provider: pulumi.ProviderResource;
  readonly dependsOn: pulumi.Resource[];
}

/** Makes a managed instance, and looks an existing one up. */
export function servingInstance(
  name: string,
  cluster: RdsCluster,
  { parent, provider, dependsOn }: Serving,
): ServingInstance {
  const { source, instance: identifier, quarantineSecurityGroup } = cluster.settings;
  if (source.mode === 'managed') {
    const made = new RdsInstance(name, { cluster, source }, { parent, providers: [provider], dependsOn });
    const { instance } = made;
    return {
      resources: [made],
      identifier: instance.identifier,
      arn: instance.arn,
      host: instance.address,
      port: instance.port,
      resourceId: instance.resourceId,
      keyArn: made.keyArn,
      masterSecretArn: secretArn(instance.masterUserSecrets),
      quarantine: made.quarantine,
    };
  }
  const found = rds.getInstanceOutput({ dbInstanceIdentifier: identifier }, { parent, provider });
  return {
    resources: [],
    identifier: found.dbInstanceIdentifier,
    arn: found.dbInstanceArn,
    host: found.address,
    port: found.port,
    resourceId: found.resourceId,
    keyArn: found.kmsKeyId.apply(key => (key === '' ? undefined : key)),
    masterSecretArn: secretArn(found.masterUserSecrets),
    quarantine: pulumi.output(quarantineSecurityGroup),
  };
}

const secretArn = (secrets: pulumi.Output<readonly { readonly secretArn: string }[]>) =>
  secrets.apply(list => list[0]?.secretArn ?? null);
