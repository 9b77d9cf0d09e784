import { Command } from 'commander';
import { HoldfastError } from '../../core/errors';
import { actOnCluster, type CommandContext } from '../invocation';
import { addTargetOptions, type TargetOptions } from '../target';

export function cloneCommand(context: CommandContext): Command {
  const command = addTargetOptions(
    new Command('clone')
      .description(
        'Restore a cluster as it was at a moment beside the original, which is not touched: in a directory of its own, reached ' +
          'by a private socket, never archiving. It is dropped by itself when it expires.',
      )
      .summary('restore a cluster beside the original')
      .argument('<cluster>', 'name of the cluster'),
  ).option('--keep <duration>', 'drop it after this long', '24 h');
  return actOnCluster<TargetOptions & { keep: string }>(
    command,
    context,
    async (cluster, { options, watch, print }) => {
      const { parseDuration } = await import('../../core/durations');
      const { parseTarget } = await import('../../core/recovery-target');
      const { clone } = await import('../../jobs/clone');
      const { connectLine, formatBytes } = await import('../format');
      const keepSeconds = parseDuration(options.keep);
      if (keepSeconds === undefined || keepSeconds <= 0)
        throw new HoldfastError('configuration', `--keep ${options.keep} is not a duration`, {
          hint: 'Write a number and a unit (s, min, h, d): --keep "3 d".',
        });
      const nothingSaid = options.at === undefined && options.restorePoint === undefined;
      const target = parseTarget(nothingSaid ? { latest: true } : options);
      const made = await clone(cluster, { target, keepSeconds }, watch);
      print(made, () =>
        [
          `clone ${made.id} of ${cluster.name} as of ${made.measured.reached ?? 'the last transaction'}, ${formatBytes(made.sizeBytes)}`,
          `  connect  ${connectLine(made.connect)}`,
          `  expires  ${made.expiresAt}`,
          `  drop     holdfast clone-drop ${cluster.name} ${made.id}`,
        ].join('\n'),
      );
      return 0;
    },
  );
}

export function clonesCommand(context: CommandContext): Command {
  const command = new Command('clones')
    .description('List the clones of a cluster, and how to connect to them.')
    .summary('list the clones of a cluster')
    .argument('<cluster>', 'name of the cluster');
  return actOnCluster(command, context, async (cluster, { print }) => {
    const { clones } = await import('../../jobs/clone');
    const { connectLine, formatBytes, table } = await import('../format');
    const all = await clones(cluster);
    print(all, () =>
      all.length === 0
        ? `${cluster.name} has no clones`
        : table(
            ['clone', 'for', 'state', 'as of', 'size', 'expires', 'connect'],
            all.map(each => [
              each.id,
              each.purpose,
              each.state,
              each.measured?.reached ?? '–',
              formatBytes(each.sizeBytes),
              each.expiresAt,
              each.state === 'running' ? connectLine(each.connect) : '–',
            ]),
          ),
    );
    return 0;
  });
}

export function cloneDropCommand(context: CommandContext): Command {
  const command = new Command('clone-drop')
    .description('Drop a clone of a cluster: stop it and delete its data. The original is not touched.')
    .summary('drop a clone')
    .argument('<cluster>', 'name of the cluster')
    .argument('<clone>', 'its id, as `holdfast clones` lists it');
  return actOnCluster(command, context, async (cluster, { args, io, print }) => {
    const { dropClone } = await import('../../jobs/clone');
    const id = args[1] ?? '';
    await dropClone(cluster, id, io.signal);
    print({ dropped: id }, () => `clone ${id} of ${cluster.name} is dropped`);
    return 0;
  });
}
