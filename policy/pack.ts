import type { Policies, ResourceValidationArgs, StackValidationArgs } from '@pulumi/policy';
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
import { ingressNarrow } from './rules/ingress-narrow';
import { productionProtected } from './rules/production-protected';
import { rdsBackupsOutlive } from './rules/rds-backups-outlive';
import { rdsChangesWait } from './rules/rds-changes-wait';
import { rdsDeletionProtected } from './rules/rds-deletion-protected';
import { rdsEncrypted } from './rules/rds-encrypted';
import { rdsFinalSnapshot } from './rules/rds-final-snapshot';
import { rdsNotDowngraded } from './rules/rds-not-downgraded';
import { rdsNotRestored } from './rules/rds-not-restored';
import { rdsPrivate } from './rules/rds-private';
import { rdsRetention } from './rules/rds-retention';
import { rdsTlsForced } from './rules/rds-tls-forced';
import { secretsAreSecret } from './rules/secrets-are-secret';
import { vaultLocked } from './rules/vault-locked';

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
  rdsRetention,
  rdsBackupsOutlive,
  rdsFinalSnapshot,
  rdsDeletionProtected,
  rdsNotRestored,
  rdsNotDowngraded,
  rdsEncrypted,
  rdsTlsForced,
  rdsPrivate,
  rdsChangesWait,
  vaultLocked,
  ingressNarrow,
  gateNotice,
];

const rootType = 'pulumi:pulumi:Stack';

type Report = (message: string) => void;

/** The rules as Pulumi runs them. A rule that throws fails the deployment: what can't be judged doesn't happen. */
export function policiesOf(stack: Stack): Policies {
  return rules.map(rule => ({
    name: rule.name,
    description: rule.description,
    enforcementLevel: rule.enforcement,
    severity: rule.severity,
    remediationSteps: rule.remediation,
    ...(rule.url === undefined ? {} : { url: rule.url }),
    configSchema: configurationSchema(rule),
    validateResource: async (args: ResourceValidationArgs, report: Report) => {
      const violations = await judge(rule, args, stack);
      for (const violation of violations) report(violation);
    },
    ...validateStack(rule, stack),
  }));
}

async function judge(rule: Rule, args: ResourceValidationArgs, stack: Stack): Promise<readonly string[]> {
  if (args.type === rootType) return rule.judgeStack(stack, args.getConfig());
  const resource = resourceOf(args);
  stack.see(resource);
  return rule.judgeResource(resource, args.getConfig(), stack);
}

/** A rule that judges the program as a whole is a stack policy too, which Pulumi asks at the end. */
function validateStack({ judgeProgram }: Rule, stack: Stack) {
  if (judgeProgram === undefined) return {};
  return {
    validateStack: (args: StackValidationArgs, report: Report) => {
      for (const violation of judgeProgram(stack, args.getConfig())) report(violation);
    },
  };
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
