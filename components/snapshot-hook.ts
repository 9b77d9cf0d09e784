import * as pulumi from '@pulumi/pulumi';
import type { SnapshotResult } from '../core/host-documents';
import { snapshotCluster } from '../jobs/host-calls';
import { reported } from './failure';
import type { StackPlan } from './read-stack';

/** What holds data, or alters what does: a change of one of these is preceded by a snapshot. */
const stateful: ReadonlySet<string> = new Set([
  'command:local:Command',
  'command:remote:Command',
  'aws:rds/instance:Instance',
  'aws:rds/parameterGroup:ParameterGroup',
  'postgresql:index/role:Role',
  'postgresql:index/grantRole:GrantRole',
  'postgresql:index/database:Database',
  'postgresql:index/schema:Schema',
  'postgresql:index/grant:Grant',
  'postgresql:index/defaultPrivileges:DefaultPrivileges',
  'postgresql:index/defaultPrivileg:DefaultPrivileg',
]);

/**
 * Puts a restore point, and where replay would be long a backup, before the first change of a production stack in each run. Has
 * to be called before any resource is made.
 */
export function registerSnapshotHook(stack: StackPlan): void {
  const before = once(() => snapshotBeforeChange(stack, snapshotCluster));
  const hook = new pulumi.ResourceHook('snapshot-before-change', before, { onDryRun: true });
  pulumi.runtime.registerResourceTransform(withHook(hook));
}

/** A transform that hangs the hook on stateful resources, beside the hooks that they have. */
export const withHook =
  (hook: pulumi.ResourceHook): pulumi.ResourceTransform =>
  ({ custom, type, props, opts }) => {
    if (!custom || !stateful.has(type)) return undefined;
    const { hooks } = opts;
    const added = {
      ...hooks,
      beforeCreate: [...(hooks?.beforeCreate ?? []), hook],
      beforeUpdate: [...(hooks?.beforeUpdate ?? []), hook],
    };
    return { props, opts: { ...opts, hooks: added } };
  };

/** Parallel steps share one run. Preview and update are two processes: each has its own. */
export function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= run());
}

/** All clusters of the stack, at once. @throws when one fails: no change may begin. */
export async function snapshotBeforeChange(
  { specifications, change, breakGlass, context: { home, dryRun } }: StackPlan,
  snapshot: typeof snapshotCluster,
): Promise<void> {
  await Promise.all(
    specifications.map(async specification => {
      const { cluster } = specification;
      const say = (line: string) => {
        // The last line of a failing program is its error as JSON, which is thrown as well.
        if (!line.startsWith('{')) void pulumi.log.info(`${cluster}: ${line}`, undefined, undefined, true);
      };
      const request = { cluster, change, dryRun, breakGlass, specification };
      const result = await snapshot(request, { home, onLine: say }).catch((error: unknown) => {
        throw reported(error, `${cluster}: no snapshot, so nothing was changed`);
      });
      await announce(result);
    }),
  );
}

async function announce({ cluster, message, warnings }: SnapshotResult): Promise<void> {
  await pulumi.log.info(`${cluster}: before this change: ${message}`);
  for (const warning of warnings) await pulumi.log.warn(`${cluster}: ${warning}`);
}
