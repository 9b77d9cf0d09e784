import * as z from 'zod';
import { HoldfastError } from './errors';
import { cluster } from './settings/cluster';
import { describeIssues } from './settings/issues';
import { alerts, environment, type HostClusterSettings, type RdsClusterSettings } from './settings/stack';
import { name } from './settings/values';

const specification = z.strictObject({
  schema: z.literal(1),
  /** `project/stack` of Pulumi. */
  stack: z.string().min(1),
  environment,
  cluster: name,
  settings: cluster,
  alerts,
});

/**
 * What a cluster shall be: the JSON document that `apply` gets on standard input and keeps beside the cluster (0600, its
 * owner's), from where every later job reads it. It contains secrets. Its settings are parsed ones: every default is
 * filled in and durations are seconds, so that a later version's defaults don't change what was applied.
 */
export type Specification = Readonly<z.output<typeof specification>>;

/** That of a cluster on a machine. */
export type HostSpecification = Specification & { readonly settings: HostClusterSettings };

/** That of a cluster on Amazon RDS. */
export type RdsSpecification = Specification & { readonly settings: RdsClusterSettings };

/**
 * A specification of a cluster on a machine, written as JSON.
 * @throws HoldfastError `configuration` as parseSpecification, or when it is of another engine's.
 */
export function parseHostSpecification(json: unknown): HostSpecification {
  return ofEngine(parseSpecification(json), isHost, 'host');
}

/** @throws HoldfastError `configuration` when a specification is of another engine's. */
export function ofEngine<S extends Specification>(
  specification: Specification,
  is: (one: Specification) => one is S,
  engine: S['settings']['engine'],
): S {
  if (is(specification)) return specification;
  const { cluster, settings } = specification;
  throw new HoldfastError(
    'configuration',
    `cluster ${cluster} is declared with engine ${settings.engine}, and this is for engine ${engine} only`,
    { hint: 'A cluster never changes its engine: give the new one another name.' },
  );
}

export function isHost(one: Specification): one is HostSpecification {
  return one.settings.engine === 'host';
}

export function isRds(one: Specification): one is RdsSpecification {
  return one.settings.engine === 'rds';
}

/**
 * A specification that was written as JSON. It is checked backwards through the schema that made its settings: what that
 * could not have produced is refused, unknown and missing keys too.
 * @throws HoldfastError `configuration` with all errors at once; secret values never appear in it.
 */
export function parseSpecification(json: unknown): Specification {
  const encoded = z.safeEncode(specification, json as z.output<typeof specification>);
  if (encoded.success) return z.decode(specification, encoded.data);
  const lines = describeIssues(encoded.error.issues, {
    schema: specification,
    value: json,
    prefix: '',
    examples: false,
  });
  throw new HoldfastError(
    'configuration',
    `the cluster’s specification is not valid:\n${lines.map(line => `  ${line}`).join('\n')}`,
    { hint: 'it is written by `pulumi up`; run that with this version of Holdfast' },
  );
}
