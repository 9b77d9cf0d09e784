import { ingressNarrow } from '../../policy/rules/ingress-narrow';
import { awsResource } from './support/aws';
import { judgedResource, resourceOf, staging, unknown } from './support/fixtures';

const postgres = { fromPort: 5432, toPort: 5432 };
const inline = (rule: object, type = 'ec2/securityGroup:SecurityGroup') =>
  awsResource(type, { ingress: [{ protocol: 'tcp', ...postgres, ...rule }] });

/** Every way to let somebody in: from a network of either kind. */
const ways = [
  ['inline', inline],
  ['of a default group', (rule: object) => inline(rule, 'ec2/defaultSecurityGroup:DefaultSecurityGroup')],
  [
    'of its own',
    ({ cidrBlocks, ipv6CidrBlocks, protocol, ...rule }: Networks) =>
      awsResource('vpc/securityGroupIngressRule:SecurityGroupIngressRule', {
        ...postgres,
        ipProtocol: protocol ?? 'tcp',
        cidrIpv4: cidrBlocks?.[0],
        cidrIpv6: ipv6CidrBlocks?.[0],
        ...rule,
      }),
  ],
  [
    'of its own (the older kind)',
    (rule: object) =>
      awsResource('ec2/securityGroupRule:SecurityGroupRule', {
        type: 'ingress',
        protocol: 'tcp',
        ...postgres,
        ...rule,
      }),
  ],
] as const;

interface Networks {
  readonly cidrBlocks?: readonly string[];
  readonly ipv6CidrBlocks?: readonly string[];
  readonly protocol?: string;
  readonly fromPort?: unknown;
  readonly toPort?: unknown;
}

describe.each(ways)('a rule %s', (_, way: (rule: Networks) => ReturnType<typeof awsResource>) => {
  test.each<[string, Networks]>([
    ['a private network', { cidrBlocks: ['10.0.0.0/8'] }],
    ['one machine', { cidrBlocks: ['203.0.113.7/32'] }],
    ['a private network (IPv6)', { ipv6CidrBlocks: ['fd00:5a1e::/48'] }],
    ['a network that isn’t known yet', { cidrBlocks: [unknown] }],
    ['another security group', {}],
  ])('passes that lets in %s', (_, rule) => {
    expect(judgedResource(ingressNarrow, way(rule))).toEqual([]);
  });

  test.each<[string, Networks]>([
    ['0.0.0.0/0', { cidrBlocks: ['0.0.0.0/0'] }],
    ['::/0', { ipv6CidrBlocks: ['::/0'] }],
    ['128.0.0.0/1', { cidrBlocks: ['128.0.0.0/1'] }],
    ['2000::/3', { ipv6CidrBlocks: ['2000::/3'] }],
  ])('is a violation that lets in %s, in staging too', (network, rule) => {
    for (const options of [{}, { raw: staging }])
      expect(judgedResource(ingressNarrow, way(rule), {}, options)).toEqual([
        expect.stringMatching(`lets anybody in from ${network} \\(port 5432\\)\n  fix: name the security`),
      ]);
  });

  const everybody = { cidrBlocks: ['0.0.0.0/0'] };
  const publicPorts = [80, 443, 444];

  test.each<[string, Networks]>([
    ['one of them', { fromPort: 443, toPort: 443 }],
    ['several in a row', { fromPort: 443, toPort: 444 }],
    ['one that isn’t known yet', { fromPort: unknown, toPort: unknown }],
  ])('may open the ports that the pack makes public: %s', (_, ports) => {
    expect(judgedResource(ingressNarrow, way({ ...everybody, ...ports }), { publicPorts })).toEqual([]);
  });

  test.each<[string, Networks, string]>([
    ['a port among them that isn’t public', { fromPort: 80, toPort: 443 }, 'ports 80 to 443'],
    ['every port', { fromPort: 443, toPort: 443, protocol: '-1' }, 'every port'],
    ['ports that aren’t named', { fromPort: undefined, toPort: undefined }, 'port not known'],
  ])('may not open %s', (_, rule, words) => {
    const violations = judgedResource(ingressNarrow, way({ ...everybody, ...rule }), { publicPorts });
    expect(violations).toEqual([expect.stringContaining(words)]);
  });

  test('opens no port to everybody because the port isn’t known yet', () => {
    const violations = judgedResource(
      ingressNarrow,
      way({ ...everybody, fromPort: unknown, toPort: unknown }),
    );
    expect(violations[0]).toContain('port not known');
  });
});

test('each network that is too wide is named', () => {
  const rules = [
    { protocol: 'tcp', ...postgres, cidrBlocks: ['10.0.0.0/8', '0.0.0.0/0'], ipv6CidrBlocks: ['::/0'] },
    { protocol: 'tcp', fromPort: 22, toPort: 22, cidrBlocks: ['0.0.0.0/0'] },
  ];
  const group = awsResource('ec2/securityGroup:SecurityGroup', { ingress: rules });
  expect(judgedResource(ingressNarrow, group).map(line => /from (.*)\n/.exec(line)?.[1])).toEqual([
    '0.0.0.0/0 (port 5432)',
    '::/0 (port 5432)',
    '0.0.0.0/0 (port 22)',
  ]);
});

test('rules that aren’t known yet are judged in the update', () => {
  for (const ingress of [unknown, [unknown]])
    expect(
      judgedResource(ingressNarrow, awsResource('ec2/securityGroup:SecurityGroup', { ingress })),
    ).toEqual([]);
});

test('what goes out is not its business, nor are other resources', () => {
  const out = { type: 'egress', protocol: '-1', fromPort: 0, toPort: 0, cidrBlocks: ['0.0.0.0/0'] };
  const egress = [out];
  for (const resource of [
    awsResource('ec2/securityGroupRule:SecurityGroupRule', out),
    awsResource('ec2/securityGroup:SecurityGroup', { egress }),
    awsResource('vpc/securityGroupEgressRule:SecurityGroupEgressRule', { cidrIpv4: '0.0.0.0/0' }),
    resourceOf(),
  ])
    expect(judgedResource(ingressNarrow, resource)).toEqual([]);
});
