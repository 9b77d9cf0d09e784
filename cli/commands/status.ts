import { Command } from 'commander';
import { act, type CommandContext } from '../invocation';

export function statusCommand(context: CommandContext): Command {
  const command = new Command('status')
    .description(
      'Say what is known of the backups of every cluster: of this machine, and of those that the stack files of this directory ' +
        'declare, wherever they are. Exits 0 only if every production cluster is fresh and every staging cluster answers, else 4.',
    )
    .summary('evidence and verdict of every cluster')
    .argument('[clusters...]', 'only these');
  return act(command, context, async ({ io, args, home, region, watch, print }) => {
    const { declaredClusters } = await import('../../jobs/stacks');
    const { survey } = await import('../../jobs/survey');
    const { describeSurvey } = await import('../describe-status');
    const declared =
      region === undefined
        ? await declaredClusters(io.directory)
        : args.map(name => ({
            name,
            environment: null,
            place: { type: 'aws' as const, region },
            breakGlass: undefined,
          }));
    const clusters = await survey({ home, names: args, declared, signal: watch.signal });
    print({ clusters }, () => describeSurvey(clusters, { color: io.color }));
    return clusters.every(({ well }) => well) ? 0 : 4;
  });
}
