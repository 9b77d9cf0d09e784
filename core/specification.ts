import * as z from 'zod';
import { HoldfastError } from './errors';
import { cluster } from './settings/cluster';
import { describeIssues } from './settings/issues';
import { alerts, environment } from './settings/stack';
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
