import * as z from 'zod';
import { secretKeys } from '../../core/settings/parse';
import { databaseType } from '../rds';
import { input, isClusterCommand, isSet, unknownValue, type Resource } from '../resource';
import { defineRule, resourceViolation } from '../rule';
import { secrecyOf, secretSettings } from '../secrecy';

export const secretsAreSecret = defineRule({
  name: 'secrets-are-secret',
  description:
    'Secret settings are `secure:` in the stack file, outputs that carry secrets are secret in the state, and RDS keeps its own.',
  severity: 'critical',
  remediation:
    'pulumi config set --secret --path <key>; then change the secret itself, because it was in clear.',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    stackFile: z
      .string()
      .regex(/^\//, 'an absolute path is needed')
      .optional()
      .describe('The stack file, when it is not `Pulumi.<stack>.yaml` beside Pulumi.yaml (`--config-file`).'),
    keptElsewhere: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Settings (paths below `holdfast:`) that are not in the stack file but secret where they come from.',
      ),
  }),

  judgeStack(stack, { stackFile, keptElsewhere }) {
    const secrets = secretSettings(stack.raw, secretKeys).filter(
      path => !keptElsewhere.includes(path.join('.')),
    );
    if (secrets.length === 0) return [];
    const file = stack.stackFile(stackFile);
    if (file.state === 'missing')
      return [
        `whether secret settings are secret can’t be seen: ${file.reason}\n  fix: run Pulumi in the project’s directory, or set secrets-are-secret.stackFile in the pack’s configuration`,
      ];
    return secrets.flatMap(secret => {
      const key = secret.join('.');
      const set = `pulumi config set --secret --path holdfast:${key}`;
      switch (secrecyOf(file.config, secret)) {
        case 'secure':
          return [];
        case 'clear':
          return [`holdfast:${key} is in clear in ${file.path}\n  fix: change the secret, then ${set}`];
        case 'absent':
          return [
            `holdfast:${key} is not in ${file.path}, so that nothing shows that it is secret\n  fix: ${set}, or name it in secrets-are-secret.keptElsewhere of the pack’s configuration`,
          ];
      }
    });
  },

  judgeResource(resource) {
    if (isClusterCommand(resource)) return clusterCommand(resource);
    if (resource.type === 'postgresql:index/role:Role')
      return input(resource, 'password') === undefined ? [] : hidden(resource, 'password');
    return masterPasswords(resource);
  },
});

/** What provisions a cluster prints the passwords of its roles. */
function clusterCommand(resource: Resource): string[] {
  const logging = input(resource, 'logging');
  const printed =
    logging === 'none' || logging === 'stderr' || logging === unknownValue
      ? []
      : [
          resourceViolation(
            resource,
            'prints its standard output, which has passwords in it',
            'set logging: "none" or "stderr"',
          ),
        ];
  return [...hidden(resource, 'stdout'), ...printed];
}

function hidden(resource: Resource, output: string): string[] {
  if (resource.additionalSecretOutputs.includes(output)) return [];
  return [
    `the output ${output} of ${resource.name} (${resource.type}) would be in clear in the state\n  fix: set the resource option additionalSecretOutputs: ["${output}"]`,
  ];
}

/** One in the program is one in the state, and stays what it is; what RDS manages is in Secrets Manager and changes by itself. */
function masterPasswords(resource: Resource): string[] {
  const given = databaseType(resource)?.passwords.filter(password => isSet(resource, password)) ?? [];
  return given.map(password =>
    resourceViolation(
      resource,
      `gets its master user’s password from the program (${password})`,
      `remove ${password}, and set manageMasterUserPassword: true: RDS makes the password and keeps it in Secrets Manager`,
    ),
  );
}
