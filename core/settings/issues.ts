import type { z } from 'zod';
import { nearest } from './nearest';
import { knownKeys, schemaAt, settingOf, valueAt } from './schema';

type Issue = z.core.$ZodIssue;

export interface IssueContext {
  readonly schema: z.core.$ZodType;
  /** What was given. */
  readonly value: unknown;
  /** What stands before every key: `holdfast:` for a stack. */
  readonly prefix: string;
}

/** The issues as lines for a person: the full key, what is wrong with the value, and an example. Never a secret value. */
export function describeIssues(issues: readonly Issue[], context: IssueContext): string[] {
  return [...new Set(issues.flatMap(issue => describeIssue(issue, context)))];
}

function describeIssue(issue: Issue, context: IssueContext): string[] {
  const { schema, value, prefix } = context;
  if (issue.code === 'unrecognized_keys') {
    const at = schemaAt(schema, issue.path, value);
    const known = at === undefined ? [] : knownKeys(at, valueAt(value, issue.path));
    return issue.keys.map(key => {
      const guess = nearest(key, known);
      return `${prefix}${join([...issue.path, key])}: there is no such key; ${
        guess === undefined ? `known are ${known.join(', ')}` : `did you mean ${guess}?`
      }`;
    });
  }
  const at = schemaAt(schema, issue.path, value);
  const setting = at === undefined ? undefined : settingOf(at);
  const given = valueAt(value, issue.path);
  const show = setting !== undefined && !setting.secret && isPlain(given);
  const key = `${prefix}${join(issue.path)}`;
  const what = `${problem(issue, given)}${show && !shownAlready(issue) ? `, not ${JSON.stringify(given)}` : ''}`;
  if (setting?.example === undefined) return [`${key}: ${what}`];
  return [`${key}: ${what}; example: ${String(issue.path.at(-1))}: ${setting.example}`];
}

function join(path: readonly PropertyKey[]): string {
  return path.map(key => String(key)).join('.');
}

function isPlain(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}

/** Custom messages name the value themselves where that may be; those of patterns say what is needed, not what was given. */
function shownAlready(issue: Issue): boolean {
  return issue.code === 'custom' || issue.code === 'invalid_key';
}

function problem(issue: Issue, given: unknown): string {
  if (issue.code === 'invalid_type') {
    if (given === undefined) return 'is missing';
    const expected = types[issue.expected] ?? issue.expected;
    return `must be ${expected}${isPlain(given) ? '' : `, not ${typeOf(given)}`}`;
  }
  if (issue.code === 'invalid_value') return `must be ${choice(issue.values)}`;
  if (issue.code === 'too_small') return `must ${measure(issue.origin, 'at least', issue.minimum)}`;
  if (issue.code === 'too_big') return `must ${measure(issue.origin, 'at most', issue.maximum)}`;
  if ('options' in issue && Array.isArray(issue.options))
    return given === undefined ? `is missing: ${choice(issue.options)}` : `must be ${choice(issue.options)}`;
  if (issue.code === 'invalid_key') return issue.issues.map(inner => inner.message).join('; ');
  return issue.message;
}

function choice(values: readonly unknown[]): string {
  return values.map(value => String(value)).join(' or ');
}

const types: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
  record: 'a map',
};

function typeOf(given: unknown): string {
  return given === null ? 'null' : Array.isArray(given) ? 'a list' : 'a map';
}

function measure(origin: string, bound: string, count: number | bigint): string {
  if (origin === 'string') return `have ${bound} ${count} characters`;
  if (origin === 'array') return `have ${bound} ${count} entries`;
  return `be ${bound} ${count}`;
}
