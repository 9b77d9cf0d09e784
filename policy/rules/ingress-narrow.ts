import * as z from 'zod';
import { isEverybody } from '../access';
import { elements, input, unknownValue, type Resource } from '../resource';
import { defineRule, resourceViolation } from '../rule';

export const ingressNarrow = defineRule({
  name: 'ingress-narrow',
  description: 'No security group lets the whole internet in.',
  severity: 'critical',
  remediation:
    'Name the security groups or networks that need it. What serves the public is named by its port in the pack’s configuration.',
  url: 'https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html',
  enforcement: 'mandatory',
  holds: 'every environment',
  configuration: z.strictObject({
    publicPorts: z
      .array(z.number().int().min(1).max(65535))
      .default([])
      .describe('Ports that may be open to everybody, as 443 of a load balancer. Default: none.'),
  }),
  judgeResource(resource, { publicPorts }) {
    return openings(resource)
      .filter(opening => !isPublic(opening, publicPorts))
      .flatMap(opening =>
        opening.networks.filter(isWide).map(network => tooWide(resource, network, opening)),
      );
  },
});

/** One rule of a security group that lets somebody in. */
interface Opening {
  readonly networks: readonly unknown[];
  readonly from: unknown;
  readonly to: unknown;
  readonly protocol: unknown;
}

function openings(resource: Resource): readonly Opening[] {
  const all = (...path: readonly string[]) => elements(resource, ...path).map(at => input(resource, ...at));
  const opening = (at: readonly string[], protocol: string, networks: readonly unknown[]): Opening => ({
    networks,
    from: input(resource, ...at, 'fromPort'),
    to: input(resource, ...at, 'toPort'),
    protocol: input(resource, ...at, protocol),
  });
  const inline = (at: readonly string[]) =>
    opening(at, 'protocol', [...all(...at, 'cidrBlocks'), ...all(...at, 'ipv6CidrBlocks')]);
  switch (resource.type) {
    case 'aws:ec2/securityGroup:SecurityGroup':
    case 'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup':
      return elements(resource, 'ingress').map(inline);
    case 'aws:ec2/securityGroupRule:SecurityGroupRule':
      return input(resource, 'type') === 'egress' ? [] : [inline([])];
    case 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule':
      return [opening([], 'ipProtocol', [input(resource, 'cidrIpv4'), input(resource, 'cidrIpv6')])];
    default:
      return [];
  }
}

/** What isn't known in this preview is judged in the update. */
const isWide = (network: unknown): network is string => typeof network === 'string' && isEverybody(network);

/** With one of these every port is open, whatever is said of ports. */
const everyProtocol: ReadonlySet<unknown> = new Set(['-1', 'all', -1]);

function isPublic({ from, to, protocol }: Opening, publicPorts: readonly number[]): boolean {
  if (publicPorts.length === 0 || everyProtocol.has(protocol)) return false;
  if ([from, to, protocol].includes(unknownValue)) return true;
  const [first, last] = [Number(from), Number(to)];
  const allowed = new Set(publicPorts.filter(port => port >= first && port <= last));
  return allowed.size === last - first + 1;
}

function tooWide(resource: Resource, network: string, opening: Opening): string {
  return resourceViolation(
    resource,
    `lets anybody in from ${network} (${portsOf(opening)})`,
    'name the security groups or networks that need it, or the port in ingress-narrow.publicPorts of the pack’s configuration',
  );
}

function portsOf({ from, to, protocol }: Opening): string {
  if (everyProtocol.has(protocol)) return 'every port';
  const [first, last] = [from, to].map(port => (typeof port === 'number' ? String(port) : 'not known'));
  return first === last ? `port ${first}` : `ports ${first} to ${last}`;
}
