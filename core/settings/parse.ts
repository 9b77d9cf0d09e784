import { HoldfastError } from '../errors';
import { describeIssues } from './issues';
import { leaves } from './schema';
import { stack, type StackSettings } from './stack';

/**
 * Settings whose values are secrets, as paths below `holdfast:`; `*` stands for any name or index. In a stack file they
 * have to be `secure:`.
 */
export const secretKeys: readonly string[] = [
  ...new Set(leaves(stack).flatMap(({ path, setting }) => (setting.secret ? [path] : []))),
];

/**
 * The settings of a stack, read from its configuration: keys without the `holdfast:` prefix. Structured values may be JSON
 * text, as Pulumi hands them over.
 * @throws HoldfastError `configuration`, one for all errors: each with its full key, what is wrong, and an example. Secret
 * values never appear in it.
 */
export function parseStack(raw: Record<string, unknown>): StackSettings {
  const value = Object.fromEntries(Object.entries(raw).map(([key, given]) => [key, structured(key, given)]));
  const parsed = stack.safeParse(value);
  if (parsed.success) return parsed.data;
  const lines = describeIssues(parsed.error.issues, {
    schema: stack,
    value,
    prefix: 'holdfast:',
    examples: true,
  });
  throw new HoldfastError(
    'configuration',
    `the configuration of the stack has ${lines.length === 1 ? 'an error' : `${lines.length} errors`}:\n${lines.map(line => `  ${line}`).join('\n')}`,
    { hint: 'every key is explained in docs/configuration.md' },
  );
}

const plainKeys: readonly string[] = ['environment'];

/** JSON text of a structured value, parsed; anything else as it is: what is wrong with it is said by the schema. */
function structured(key: string, given: unknown): unknown {
  if (typeof given !== 'string' || plainKeys.includes(key)) return given;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return given;
  }
}
