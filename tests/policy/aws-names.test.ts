import fs from 'node:fs';
import path from 'node:path';
import { databaseType } from '../../policy/rds';
import type { Resource } from '../../policy/resource';
import {
  awsResource,
  cluster,
  clusterInstance,
  clusterParameterGroup,
  instance,
  parameterGroup,
  statefulOnAws,
} from './support/aws';

/*
 * The rules ask for types and inputs by name. A misspelt one would never be found in a program, and what it forbids would pass:
 * here the names are looked up in @pulumi/aws.
 */

const sdk = path.dirname(require.resolve('@pulumi/aws/package.json'));

/** What @pulumi/aws declares where the type of a resource says: its type, and the names of its inputs. */
function declared({ type }: Resource) {
  const [, module] = /^aws:(.+):/.exec(type)!;
  const text = (extension: string) => fs.readFileSync(path.join(sdk, `${module}.${extension}`), 'utf8');
  const declarations = text('d.ts');
  const inputs = declarations.slice(declarations.search(/^export interface \w+Args \{/m));
  return {
    type: /__pulumiType = '(.+)'/.exec(text('js'))?.[1],
    inputs: [...inputs.matchAll(/^ {4}(\w+)\??: /gm)].map(([, name]) => name),
  };
}

/** A database with everything that the rules may ask of it. */
function everything(database: typeof instance) {
  const { passwords, restoreSources } = databaseType(database())!;
  return database(Object.fromEntries([...passwords, ...restoreSources].map(name => [name, 'given'])));
}

const ports = { fromPort: 5432, toPort: 5432 };
const networks = { cidrBlocks: ['10.0.0.0/8'], ipv6CidrBlocks: ['fd00::/8'] };

test.each(
  [
    everything(instance),
    everything(cluster),
    clusterInstance({ applyImmediately: false }),
    parameterGroup({ namePrefix: 'shop-' }),
    clusterParameterGroup({ namePrefix: 'shop-' }),
    awsResource('backup/vault:Vault', { name: 'shop', region: 'eu-central-1' }),
    awsResource('backup/vaultLockConfiguration:VaultLockConfiguration', {
      backupVaultName: 'shop',
      region: 'eu-central-1',
    }),
    awsResource('ec2/securityGroup:SecurityGroup', { ingress: [] }),
    awsResource('ec2/defaultSecurityGroup:DefaultSecurityGroup', { ingress: [] }),
    awsResource('ec2/securityGroupRule:SecurityGroupRule', {
      type: 'ingress',
      protocol: 'tcp',
      ...ports,
      ...networks,
    }),
    awsResource('vpc/securityGroupIngressRule:SecurityGroupIngressRule', {
      ipProtocol: 'tcp',
      ...ports,
      cidrIpv4: '10.0.0.0/8',
      cidrIpv6: 'fd00::/8',
    }),
    ...statefulOnAws.map(type => awsResource(type, {})),
  ].map(resource => [resource.type, resource] as const),
)('%s is a type of @pulumi/aws, with the inputs that the rules ask for', (type, resource) => {
  const { inputs, type: found } = declared(resource);
  expect(found).toBe(type);
  expect(Object.keys(resource.properties).filter(name => !inputs.includes(name))).toEqual([]);
});

test('a name that @pulumi/aws doesn’t have is noticed', () => {
  expect(declared(instance()).inputs).not.toContain('skipFinalSnapshots');
});
