import type { z } from 'zod';
import { nearest } from './nearest';
import { hasSecrets, knownKeys, schemaAt, settingOf, valueAt } from './schema';

type Issue = z.core.$ZodIssue;

export interface IssueContext {
  readonly schema: z.core.$ZodType;
  /** What was given. */
  readonly value: unknown;
  /** What stands before every key: `holdfast:` for a stack. */
  readonly prefix: string;
  /** Whether to give an example of how a person writes the setting. */
  readonly examples: boolean;
}

/** The issues as lines for a person: the full key, what is wrong with the value, and an example. Never a secret value. */
export function describeIssues(issues: readonly Issue[], context: IssueContext): string[] {
  return [
    ...new Set(
      issues
        .flatMap(inAlternative)
        .flatMap(issue =>
          issue.code === 'unrecognized_keys'
            ? describeUnknownKeys(issue, context)
            : [describeIssue(issue, context)],
        ),
    ),
  ];
}

/**
 * What is wrong with a value that is none of several alternatives: seen from the one that it comes closest to. Where the schema
 * has words of its own for that, these.
 */
function inAlternative(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return [issue];
  return [...issue.errors]
    .sort((a, b) => distance(a) - distance(b))
    .slice(0, 1)
    .flat()
    .flatMap(inner => inAlternative({ ...inner, path: [...issue.path, ...inner.path] }));
}

/** How far a value is from an alternative: what tells it from the others counts most. */
function distance(errors: readonly Issue[]): number {
  const wrongChoices = errors.filter(({ code }) => code === 'invalid_value').length;
  return wrongChoices * 1000 + errors.length;
}

function describeUnknownKeys(issue: z.core.$ZodIssueUnrecognizedKeys, context: IssueContext): string[] {
  const { schema, value } = context;
  const at = schemaAt(schema, issue.path, value);
  const known = at === undefined ? [] : knownKeys(at, valueAt(value, issue.path));
  return issue.keys.map(key => {
    const guess = nearest(key, known);
    const help = guess === undefined ? `known are ${known.join(', ')}` : `did you mean ${guess}?`;
    return `${keyOf([...issue.path, key], context)}: there is no such key; ${help}`;
  });
}

function describeIssue(issue: Issue, context: IssueContext): string {
  const { schema, value } = context;
  const at = schemaAt(schema, issue.path, value);
  const given = valueAt(value, issue.path);
  // What stands where a secret belongs, or in the place of a map that contains one, may be the secret.
  const show = at !== undefined && !hasSecrets(at) && isPlain(given) && !saysValue(issue);
  const said = `${keyOf(issue.path, context)}: ${problem(issue, given)}${show ? `, not ${JSON.stringify(given)}` : ''}`;
  const example = at === undefined ? undefined : settingOf(at).example;
  if (example === undefined || !context.examples || isConflict(issue)) return said;
  const last = issue.path.at(-1);
  return `${said}; example: ${typeof last === 'string' ? `${last}: ` : ''}${example}`;
}

function keyOf(path: readonly PropertyKey[], { prefix }: IssueContext): string {
  if (path.length === 0) return `${prefix}*`;
  return (
    prefix +
    path
      .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i > 0 ? '.' : ''}${String(key)}`))
      .join('')
  );
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

function isConflict(issue: Issue): boolean {
  return issue.code === 'custom' && issue.params?.conflict === true;
}

/** Messages of our own name the value themselves where that may be; so does that of a key. */
function saysValue(issue: Issue): boolean {
  return issue.code === 'custom' || issue.code === 'invalid_key';
}

function problem(issue: Issue, given: unknown): string {
  const choices = choicesOf(issue);
  if (choices !== undefined) return given === undefined ? `is missing: ${choices}` : `must be ${choices}`;
  if (issue.code === 'invalid_type') {
    if (given === undefined) return 'is missing';
    const expected = types[issue.expected] ?? issue.expected;
    return `must be ${expected}${isPlain(given) ? '' : `, not ${typeOf(given)}`}`;
  }
  if (issue.code === 'too_small') return `must ${measure(issue.origin, 'at least', issue.minimum)}`;
  if (issue.code === 'too_big') return `must ${measure(issue.origin, 'at most', issue.maximum)}`;
  if (issue.code === 'invalid_key') return issue.issues.map(inner => inner.message).join('; ');
  return issue.message;
}

/** The values that are possible, where they can be listed: those of an enumeration or of what tells alternatives apart. */
function choicesOf(issue: Issue): string | undefined {
  const choices: unknown =
    issue.code === 'invalid_value' ? issue.values : 'options' in issue ? issue.options : undefined;
  return Array.isArray(choices)
    ? choices.flatMap(value => (value === undefined ? [] : [String(value)])).join(' or ')
    : undefined;
}

const types: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function typeOf(given: unknown): string {
  if (given === null) return 'null';
  return Array.isArray(given) ? 'a list' : 'a map';
}

function measure(origin: string, bound: string, count: number | bigint): string {
  const many = (one: string, more: string) => `have ${bound} ${count} ${Number(count) === 1 ? one : more}`;
  if (origin === 'string') return many('character', 'characters');
  if (origin === 'array') return many('entry', 'entries');
  return `be ${bound} ${count}`;
}
