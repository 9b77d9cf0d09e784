import { announceBreakGlass } from './components/break-glass';
import { registerTakeoverHook } from './components/existing';
import { inspectAll } from './components/inspections';
import { ProductionSeal } from './components/production-seal';
import { protectedDatabase } from './components/protected-database';
import { readStack } from './components/read-stack';
import { registerPresenceHook } from './components/presence-hook';
import { registerSnapshotHook } from './components/snapshot-hook';
import { stackOutputs } from './components/outputs';
import { reported } from './components/failure';

/** What this stack contains; its settings are in Pulumi.<stack>.yaml. */
async function contents() {
  const stack = readStack();
  const { context, specifications } = stack;
  const production = context.environment === 'production';

  await announceBreakGlass(stack.breakGlass);
  const plans = await inspectAll(specifications, context);
  registerTakeoverHook(plans);
  if (production) {
    registerPresenceHook(plans);
    registerSnapshotHook(stack);
  }

  const databases = plans.map(plan => protectedDatabase(plan, context));
  if (production) new ProductionSeal('seal', { specifications, context }, { dependsOn: databases });

  return stackOutputs(databases);
}

export = () =>
  contents().catch((error: unknown) => {
    throw reported(error);
  });
