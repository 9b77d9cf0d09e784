import { Command } from 'commander';
import { HoldfastError } from '../../core/errors';
import type { RestorePlan } from '../../jobs/restore';
import { actOnCluster, type CommandContext } from '../invocation';
import type { Io } from '../io';
import { addTargetOptions, type TargetOptions } from '../target';

interface RestoreOptions extends TargetOptions {
  readonly replace?: boolean;
  readonly yes?: boolean;
  readonly despiteChecks?: string;
}

export function restoreCommand(context: CommandContext): Command {
  const command = addTargetOptions(
    new Command('restore')
      .description(
        'Take the whole cluster back to a moment: the last resort. It is restored beside the original with all cores, checked, ' +
          'and then put in its place; the old data is kept aside, and a full backup is taken. What is lost is said before. ' +
          'For some rows only, make a clone instead and copy them back.',
      )
      .summary('take a whole cluster back to a moment')
      .argument('<cluster>', 'name of the cluster'),
  )
    .option('--replace', 'do it; without, only what would be lost is said')
    .option('--yes', 'do not ask for the name of a production cluster')
    .option('--despite-checks <reason>', 'put it in place although the checks find damage');
  return actOnCluster<RestoreOptions>(command, context, async (cluster, { options, io, watch, print }) => {
    const { parseTarget } = await import('../../core/recovery-target');
    const { planRestore, restore } = await import('../../jobs/restore');
    const { despiteChecks } = options;
    const request = {
      target: parseTarget(options),
      ...(despiteChecks === undefined ? {} : { despiteChecks }),
    };
    const plan = await planRestore(cluster, request);
    io.stderr.write(`${describePlan(plan)}\n`);
    await confirm(plan, options, io);
    const result = await restore(cluster, request, watch);
    print(result, () =>
      [
        `${result.cluster} is restored to ${result.target}`,
        `  last transaction  ${result.reached ?? 'not known'}`,
        `  new backup        ${result.backupSet.id} (full)`,
        `  old data          ${result.keptAside}`,
        'Delete the old data when nobody needs it any more.',
      ].join('\n'),
    );
    return 0;
  });
}

function describePlan({ cluster, environment, target, losses }: RestorePlan): string {
  return [
    `Restoring ${cluster} (${environment}) to ${target} loses:`,
    ...losses.map(loss => `  - ${loss}`),
  ].join('\n');
}

/** A production cluster is named once more by the person who replaces it. */
async function confirm(plan: RestorePlan, { replace, yes }: RestoreOptions, io: Io): Promise<void> {
  if (replace !== true)
    throw new HoldfastError('configuration', 'nothing was done: a restore replaces the whole cluster', {
      hint: 'Add --replace to do it. `holdfast clone` restores beside the original instead.',
    });
  if (plan.environment !== 'production' || yes === true) return;
  if (!io.person)
    throw new HoldfastError('configuration', `nobody is there to confirm the restore of ${plan.cluster}`, {
      hint: 'Add --yes.',
    });
  io.stderr.write(`Type the name of the cluster to replace it: `);
  const typed = await io.lines.next(io.signal);
  if (typed?.trim() !== plan.cluster)
    throw new HoldfastError('configuration', `nothing was done: that is not ${plan.cluster}`);
}
