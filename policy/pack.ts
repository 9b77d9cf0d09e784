import type { Policies, ResourceValidationArgs } from '@pulumi/policy';
import * as z from 'zod';
import type { Resource } from './resource';
import type { Rule } from './rule';
import type { Stack } from './stack';
import { backupRecent } from './rules/backup-recent';
import { backupRestorable } from './rules/backup-restorable';
import { backupVerified } from './rules/backup-verified';
import { backupsDeclared } from './rules/backups-declared';
import { connectionsSafe } from './rules/connections-safe';
import { evidenceKnown } from './rules/evidence-known';
import { gateNotice } from './rules/gate-notice';
import { productionProtected } from './rules/production-protected';
import { secretsAreSecret } from './rules/secrets-are-secret';

/** In this order: the first says what the stack is, the last what the others let through. */
export const rules: readonly Rule[] = [
  evidenceKnown,
  backupRecent,
  backupRestorable,
  backupVerified,
  backupsDeclared,
  connectionsSafe,
  secretsAreSecret,
  productionProtected,
  gateNotice,
];

const rootType = 'pulumi:pulumi:Stack';

/** The rules as Pulumi runs them. A rule that throws fails the deployment: what can't be judged doesn't happen. */
export function policiesOf(stack: Stack): Policies {
  return rules.map(rule => ({
    name: rule.name,
    description: rule.description,
    enforcementLevel: rule.enforcement,
    severity: rule.severity,
    remediationSteps: rule.remediation,
    configSchema: configurationSchema(rule),
    validateResource: async (args: ResourceValidationArgs, report: (message: string) => void) => {
      const configuration = args.getConfig();
      const violations =
        args.type === rootType
          ? await rule.judgeStack(stack, configuration)
          : rule.judgeResource(resourceOf(args), configuration, stack);
      for (const violation of violations) report(violation);
    },
  }));
}

function resourceOf({ type, urn, name, opts, props }: ResourceValidationArgs): Resource {
  return {
    type,
    urn,
    name,
    protect: opts.protect,
    ignoreChanges: opts.ignoreChanges,
    additionalSecretOutputs: opts.additionalSecretOutputs,
    properties: props as Record<string, unknown>,
  };
}

/** A rule's configuration as JSON schema: with it Pulumi refuses a wrong value before anything is judged. */
export function configurationSchema(rule: Rule): { properties: Record<string, object> } {
  const schema = z.toJSONSchema(rule.configuration, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // Pulumi's regular expressions know no look-around; the rule checks the value again.
      if (jsonSchema.pattern?.includes('(?') === true) delete jsonSchema.pattern;
    },
  });
  return { properties: schema.properties as Record<string, object> };
}
