import * as z from 'zod';
import { isClusterCommand, type Resource } from '../resource';
import { defineRule } from '../rule';

/** Resources whose deletion or replacement loses data, or the access to it. */
const statefulTypes: ReadonlySet<string> = new Set([
  'postgresql:index/database:Database',
  'postgresql:index/role:Role',
  'postgresql:index/schema:Schema',
]);

/** The resources that carry data: clusters, databases, roles, schemas. */
export function isStateful(resource: Resource): boolean {
  return statefulTypes.has(resource.type) || isClusterCommand(resource);
}

export const productionProtected = defineRule({
  name: 'production-protected',
  description: 'Every stateful resource of production is protected, and no change of one is ignored.',
  severity: 'critical',
  remediation:
    'Set `protect: true`; remove the entry from `ignoreChanges` or allow it in the pack’s configuration.',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({
    allowedIgnoreChanges: z
      .array(
        z
          .string()
          .min(1)
          .regex(/^[^*]+$/, '`*` would ignore every change'),
      )
      .default([])
      .describe('Properties that `ignoreChanges` of a stateful resource may name.'),
  }),
  judgeResource(resource, { allowedIgnoreChanges }) {
    if (!isStateful(resource)) return [];
    const what = `${resource.name} (${resource.type})`;
    const unprotected = resource.protect
      ? []
      : [
          `${what} is not protected: removing it from the program would delete it with its data\n  fix: set the resource option protect: true`,
        ];
    const ignored = resource.ignoreChanges.filter(property => !allowedIgnoreChanges.includes(property));
    const allowed =
      allowedIgnoreChanges.length === 0 ? 'none is allowed' : `allowed: ${allowedIgnoreChanges.join(', ')}`;
    return [
      ...unprotected,
      ...(ignored.length === 0
        ? []
        : [
            `${what} ignores changes of ${ignored.join(', ')} (${allowed}): it would drift from what is declared\n  fix: remove ignoreChanges, or allow the property in production-protected.allowedIgnoreChanges of the pack’s configuration`,
          ]),
    ];
  },
});
