import * as pulumi from '@pulumi/pulumi';
import type { HostPlan, StackContext } from '../../../components/context';
import type { Applied, ClusterAccess, Inspection } from '../../../core/host-documents';
import { parseStack } from '../../../core/settings/parse';
import { isHost, ofEngine } from '../../../core/specification';
import { specificationsOf } from '../../../components/read-stack';

export interface Made {
  readonly type: string;
  readonly name: string;
  readonly options: pulumi.CustomResourceOptions;
  readonly resource: pulumi.Resource;
}

export const applied = (cluster: string, roles: readonly string[] = []): Applied => ({
  cluster,
  endpoint: { host: '127.0.0.1', port: 5441 },
  stanza: cluster,
  systemIdentifier: '7436508761234567890',
  revision: 1,
  tls: false,
  provider: { username: 'holdfast_provider', password: 'of the provider' },
  roles: Object.fromEntries(
    roles.map(role => [role, { password: `of ${role}`, verifier: `SCRAM-SHA-256$of ${role}` }]),
  ),
});

export const inspection = <Access extends ClusterAccess = Applied>(
  cluster: string,
  found: Partial<Inspection<Access>> = {},
): Inspection<Access> => ({
  cluster,
  provisioned: false,
  revision: 0,
  drift: [],
  needsRestart: [],
  restartAllowed: false,
  existing: [],
  applied: null,
  ...found,
});

/** A cluster as settings in a stack file declare it. */
export function planOf(
  environment: 'production' | 'staging',
  cluster: string,
  settings: object = {},
  found: Partial<Inspection<Applied>> = {},
): HostPlan {
  const parsed = parseStack({ environment, clusters: { [cluster]: settings } });
  const [specification] = specificationsOf('holdfast/test', parsed);
  return {
    specification: ofEngine(specification!, isHost, 'host'),
    inspection: inspection(cluster, found),
  };
}

export const contextOf = (plan: HostPlan, dryRun = false): StackContext => ({
  environment: plan.specification.environment,
  program: { file: __filename, hash: 'abc123' },
  home: '/home of holdfast',
  dryRun,
});

/** Inputs as Pulumi's engine got them, by name. */
type Inputs = Map<string, Record<string, unknown>>;

/** Stands in for Pulumi's engine: what a resource was given comes back, and every command printed `stdout`. */
export function mockEngine({ stdout, preview = false }: { stdout?: string; preview?: boolean } = {}): Inputs {
  const given: Inputs = new Map();
  void pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs, type }) => {
        given.set(name, inClear(inputs as Record<string, unknown>));
        const printed = type.endsWith(':Command') && stdout !== undefined ? { stdout, stderr: '' } : {};
        return { id: `${name}-id`, state: { ...(inputs as object), ...printed } };
      },
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    'holdfast',
    'test',
    preview,
  );
  return given;
}

/** A place for resources whose making is written down: everything below it, in order. */
export class Recorder {
  readonly made: Made[] = [];

  readonly options: pulumi.ComponentResourceOptions = {
    transformations: [
      ({ type, name, opts, resource }) => {
        this.made.push({ type, name, options: opts, resource });
        return undefined;
      },
    ],
  };

  /** Waits until all are made and have their outputs; fails as the first that fails. */
  async done(): Promise<void> {
    await Promise.all(this.made.map(({ resource }) => valueOf(resource.urn)));
    await pulumi.runtime.disconnect();
  }

  /** One line each: type, name, parent, what it comes after, and the options that protect it. */
  lines(): string[] {
    return this.made.map(({ type, name, options }) => {
      const after = ([] as pulumi.Resource[])
        .concat((options.dependsOn ?? []) as pulumi.Resource[])
        .map(resource => this.nameOf(resource));
      return [
        `${type} ${name}`,
        options.parent === undefined ? '' : ` in ${this.nameOf(options.parent)}`,
        after.length === 0 ? '' : ` after ${after.join(', ')}`,
        options.protect === true ? ', protected' : '',
        options.retainOnDelete === true ? ', retained' : '',
        options.deletedWith === undefined ? '' : `, deleted with ${this.nameOf(options.deletedWith)}`,
      ].join('');
    });
  }

  private nameOf(resource: unknown): string {
    return this.made.find(made => made.resource === resource)?.name ?? '(outside)';
  }
}

/** Secrets reach the engine wrapped. */
const inClear = (inputs: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(inputs).map(([key, value]) => [
      key,
      pulumi.runtime.isRpcSecret(value) ? (pulumi.runtime.unwrapRpcSecret(value) as unknown) : value,
    ]),
  );

export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    pulumi.all([output]).apply(([value]) => resolve(value as T));
    (output as unknown as { promise(): Promise<unknown> }).promise().catch(reject);
  });
}

/** Whether a value is a secret, and whether it is known. */
export async function natureOf(output: pulumi.Output<unknown>): Promise<{ secret: boolean; known: boolean }> {
  const inner = output as unknown as { isSecret: Promise<boolean>; isKnown: Promise<boolean> };
  return { secret: await inner.isSecret, known: await inner.isKnown };
}
