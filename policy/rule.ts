import * as z from 'zod';
import type { Resource } from './resource';
import type { DeclaredStack, Stack } from './stack';

export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** What a rule is, without what it is configured with. One file of `rules/` each. */
interface Description {
  /** Its name in Pulumi, in the pack's configuration, and of its section in docs/policy.md. */
  readonly name: string;
  /** What must be true, in a sentence. */
  readonly description: string;
  readonly severity: Severity;
  /** What to do when it isn't. */
  readonly remediation: string;
  /** The documentation of whoever runs what it is about. */
  readonly url?: string | undefined;
  /** A mandatory rule blocks; an advisory one warns. */
  readonly enforcement: 'mandatory' | 'advisory';
}

/** A rule as it is written: it judges parsed settings with its parsed configuration. */
interface Definition<Schema extends z.ZodObject> extends Description {
  /** Staging is not held to the rules of production. */
  readonly holds: 'production' | 'every environment';
  /** The rule's part of the pack's configuration. Strict: a misspelt key is a violation. */
  readonly configuration: Schema;
  /** Judges the stack, on its root resource: nothing is touched before it passes. */
  judgeStack?(
    stack: DeclaredStack,
    configuration: z.output<Schema>,
  ): readonly string[] | Promise<readonly string[]>;
  /** Judges one resource of the stack, before it is touched. */
  readonly judgeResource?: (
    resource: Resource,
    configuration: z.output<Schema>,
    stack: DeclaredStack,
  ) => readonly string[] | Promise<readonly string[]>;
  /**
   * Judges all resources of the stack together, for what none of them shows alone. It comes last: in a preview before anything is
   * touched, but in an update after everything was.
   */
  readonly judgeProgram?: (stack: DeclaredStack, configuration: z.output<Schema>) => readonly string[];
}

/** A rule as the pack runs it: whatever can't be judged is a violation on the root resource. Violations are sentences. */
export interface Rule extends Description {
  readonly configuration: z.ZodObject;
  judgeStack(stack: Stack, configuration: unknown): Promise<readonly string[]>;
  judgeResource(
    resource: Resource,
    configuration: unknown,
    stack: Stack,
  ): readonly string[] | Promise<readonly string[]>;
  /** Undefined where nothing is judged together. */
  readonly judgeProgram?: ((stack: Stack, configuration: unknown) => readonly string[]) | undefined;
}

/** A rule that judges a stack whose settings could be read. */
export function defineRule<Schema extends z.ZodObject>(definition: Definition<Schema>): Rule {
  const { name, description, severity, remediation, url, enforcement, holds, configuration } = definition;
  const { judgeResource, judgeProgram } = definition;
  const concerns = (stack: DeclaredStack) =>
    holds === 'every environment' || stack.environment === 'production';
  /** Judges what comes after the root resource, where it is a violation already when it can't be judged. */
  const judging = <Violations>(
    stack: Stack,
    given: unknown,
    judge: (stack: DeclaredStack, configuration: z.output<Schema>) => Violations,
  ): Violations | readonly string[] => {
    const parsed = configuration.safeParse(given);
    const declared = stack.declared();
    if (!parsed.success || declared.state === 'invalid' || !concerns(declared.stack)) return [];
    return judge(declared.stack, parsed.data);
  };
  return {
    name,
    description,
    severity,
    remediation,
    url,
    enforcement,
    configuration,
    async judgeStack(stack, given) {
      const parsed = configuration.safeParse(given);
      if (!parsed.success) return [invalidConfiguration(name, parsed.error)];
      const declared = stack.declared();
      if (declared.state === 'invalid')
        return [`this can’t be judged, because the stack’s settings are invalid: see evidence-known`];
      if (!concerns(declared.stack)) return [];
      return (await definition.judgeStack?.(declared.stack, parsed.data)) ?? [];
    },
    judgeResource(resource, given, stack) {
      if (judgeResource === undefined) return [];
      return judging(stack, given, (declared, parsed) => judgeResource(resource, parsed, declared));
    },
    judgeProgram: judgeProgram && ((stack, given) => judging(stack, given, judgeProgram)),
  };
}

/** What is wrong with a rule's part of the pack's configuration. */
export function invalidConfiguration(rule: string, error: z.ZodError): string {
  const issues = error.issues.map(issue => `${[rule, ...issue.path].join('.')}: ${issue.message}`);
  return `the policy pack’s configuration is invalid: ${issues.join('; ')}\n  fix: correct the file of --policy-pack-config; every key is in docs/policy.md`;
}

/** The configuration of a rule that has none. */
export const nothing = z.strictObject({});

/** A violation as a person reads it: of which cluster, what was found against which limit, and how to fix it. */
export function violation(cluster: string, found: string, remedy: string | null): string {
  return `cluster ${cluster}: ${found}${remedy === null ? '' : `\n  fix: ${remedy}`}`;
}

/** A violation of one resource: what was found of it, and how to fix it. */
export function resourceViolation({ name, type }: Resource, found: string, remedy: string): string {
  return `${name} (${type}) ${found}\n  fix: ${remedy}`;
}
