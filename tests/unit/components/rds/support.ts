import * as pulumi from '@pulumi/pulumi';
import type { ProtectedRdsArgs } from '../../../../components/rds/protected-rds';
import { specificationsOf } from '../../../../components/read-stack';
import type { RdsCluster } from '../../../../components/rds/context';
import { inspection } from '../support';
import type { ClusterAccess, Inspection } from '../../../../core/host-documents';
import { parseStack } from '../../../../core/settings/parse';
import { isRds, ofEngine, type RdsSpecification } from '../../../../core/specification';
import type { Environment } from '../../../../core/settings/stack';

export const account = '111122223333';
export const region = 'eu-central-1';
export const place = { partition: 'aws', account, region };

const credential = (role: string) => ({ password: `of ${role}`, verifier: `SCRAM-SHA-256$of ${role}` });

/** What `host apply` prints of it where its databases are managed. */
export const access: ClusterAccess = {
  endpoint: { host: 'shop-db.example.internal', port: 5432 },
  provider: { username: 'holdfast_provider', password: 'of the provider' },
  roles: { shop_app: credential('shop_app'), shop_report: credential('shop_report') },
};

/** The least that a managed instance needs. */
export const managed = {
  mode: 'managed',
  version: '17.6',
  class: 'db.m7g.large',
  network: {
    vpc: 'vpc-0a1b2c3d4e5f60718',
    subnets: ['subnet-0a1b2c3d4e5f60718', 'subnet-1a1b2c3d4e5f60718'],
    allowSecurityGroups: ['sg-00000000000000001'],
  },
};

/** Cluster `shop` on the instance `shop-db`, as settings in a stack file declare it. */
export function specificationOf(environment: Environment, settings: object = {}): RdsSpecification {
  const shop = { engine: 'rds', instance: 'shop-db', region, source: managed, ...settings };
  const [specification] = specificationsOf('shop/test', parseStack({ environment, clusters: { shop } }));
  return ofEngine(specification!, isRds, 'rds');
}

/** What components are given of it. */
export function clusterOf(environment: Environment, settings: object = {}): RdsCluster {
  const specification = specificationOf(environment, settings);
  return { ...specification, place: pulumi.output(place) };
}

/** What AWS knows of a resource once it is made, beside what it was given; and what a command prints. */
const made = (type: string, name: string): object => {
  if (type.endsWith(':Command')) return { stdout: JSON.stringify(access), stderr: '' };
  const arn = `arn:aws:${type.split(/[:/]/)[1]!}:${region}:${account}:${name}`;
  if (type !== 'aws:rds/instance:Instance') return { arn };
  return {
    arn,
    address: 'shop-db.example.internal',
    resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    masterUserSecrets: [{ secretArn: `arn:aws:secretsmanager:${region}:${account}:secret:rds!db-1` }],
  };
};

/** What AWS answers when it is asked. */
const answers: Readonly<Record<string, object>> = {
  'aws:index/getCallerIdentity:getCallerIdentity': { accountId: account },
  'aws:index/getPartition:getPartition': { partition: 'aws' },
  'aws:rds/getInstance:getInstance': {
    dbInstanceIdentifier: 'shop-db',
    dbInstanceArn: `arn:aws:rds:${region}:${account}:db:shop-db`,
    address: 'shop-db.example.internal',
    port: 5432,
    resourceId: 'db-ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    kmsKeyId: `arn:aws:kms:${region}:${account}:key/theirs`,
    masterUserSecrets: [],
  },
};

export interface MockAws {
  /** Inputs as the engine got them, secrets still wrapped, by name. */
  readonly given: Map<string, Record<string, unknown>>;
  readonly asked: string[];
}

/** Stands in for Pulumi's engine and AWS. In a preview nothing is known of what isn't there yet. */
export function mockAws({
  preview = false,
  found = {},
}: {
  readonly preview?: boolean;
  /** What an existing instance is beside that. */ readonly found?: object;
} = {}): MockAws {
  const given: MockAws['given'] = new Map();
  const asked: string[] = [];
  void pulumi.runtime.setMocks(
    {
      newResource: ({ name, type, inputs }) => {
        given.set(name, inputs as Record<string, unknown>);
        // `name` of what is named by Pulumi.
        const state = { name, ...(inputs as object), ...made(type, name) };
        return { id: preview ? undefined : `${name}-id`, state: preview ? (inputs as object) : state };
      },
      call: ({ token }) => {
        asked.push(token);
        return { ...answers[token], ...(token.endsWith(':getInstance') ? found : {}) };
      },
    },
    'holdfast',
    'test',
    preview,
  );
  return { given, asked };
}

/** Arguments of ProtectedRds, of a cluster that its machine knows nothing of yet. */
export function argumentsOf(
  environment: Environment,
  settings: object = {},
  { dryRun = false, found = {} }: { readonly dryRun?: boolean; readonly found?: Partial<Inspection> } = {},
): ProtectedRdsArgs {
  return {
    plan: { specification: specificationOf(environment, settings), inspection: inspection('shop', found) },
    context: { environment, program: { file: __filename, hash: 'abc' }, home: '/home', dryRun },
    program: { file: __filename },
  };
}
