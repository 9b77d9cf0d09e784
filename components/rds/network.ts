import * as ec2 from '@pulumi/aws/ec2';
import * as vpc from '@pulumi/aws/vpc';
import type * as pulumi from '@pulumi/pulumi';
import type { ManagedInstance, RdsSettings } from '../../core/settings/rds';
import { tagsFor, type RdsCluster } from './context';

/** One who may connect, as an ingress rule names it; and how the rule is called in the program. */
interface Admitted {
  readonly name: string;
  readonly rule: { referencedSecurityGroupId: string } | { cidrIpv4: string } | { cidrIpv6: string };
}

/** Who may connect to a managed instance: those of its settings, and the Lambda that verifies. Each once. */
export function admitted(source: ManagedInstance, { unattended }: RdsSettings): Admitted[] {
  const { allowSecurityGroups, allowNetworks } = source.network;
  const groups = new Set([...allowSecurityGroups, ...(unattended.network?.securityGroups ?? [])]);
  return [
    ...[...groups].map(group => ({ name: group, rule: { referencedSecurityGroupId: group } })),
    ...[...new Set(allowNetworks)].map(network => ({
      name: network.replaceAll(/[^0-9a-f]+/gi, '-'),
      rule: network.includes(':') ? { cidrIpv6: network } : { cidrIpv4: network },
    })),
  ];
}

/**
 * The security group of the instance. A rule for each who may connect, so that one can go without another; none outwards: a
 * database answers only.
 */
export function accessGroup(
  name: string,
  cluster: RdsCluster,
  source: ManagedInstance,
  options: pulumi.CustomResourceOptions,
): ec2.SecurityGroup {
  const tags = tagsFor(cluster);
  const group = new ec2.SecurityGroup(
    name,
    { description: `Who may connect to ${cluster.settings.instance}`, vpcId: source.network.vpc, tags },
    options,
  );
  for (const { name: who, rule } of admitted(source, cluster.settings))
    new vpc.SecurityGroupIngressRule(
      `${name}-${who}`,
      {
        securityGroupId: group.id,
        ipProtocol: 'tcp',
        fromPort: source.port,
        toPort: source.port,
        ...rule,
        tags,
      },
      options,
    );
  return group;
}

/** The security group without any rule into which a restore to the latest moment moves the instance. */
export function quarantineGroup(
  name: string,
  cluster: RdsCluster,
  source: ManagedInstance,
  options: pulumi.CustomResourceOptions,
): pulumi.Input<string> {
  const { instance, quarantineSecurityGroup } = cluster.settings;
  if (quarantineSecurityGroup !== undefined) return quarantineSecurityGroup;
  return new ec2.SecurityGroup(
    name,
    {
      description: `Nobody may connect to ${instance} while it is restored`,
      vpcId: source.network.vpc,
      tags: tagsFor(cluster),
    },
    options,
  ).id;
}
