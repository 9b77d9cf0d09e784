import { Command } from 'commander';
import { actOnCluster, type CommandContext } from '../invocation';

export function verifyCommand(context: CommandContext): Command {
  const command = new Command('verify')
    .description(
      'Restore the newest usable backup set of a cluster beside the original and check it: files and indexes (pg_amcheck), the ' +
        'configured SQL checks, and that no table lost over 20 % of its rows since the last verification. The result is kept ' +
        'on the backup set. Exits 4 when it does not pass.',
    )
    .summary('restore the newest backup set and check it')
    .argument('<cluster>', 'name of the cluster');
  return actOnCluster(command, context, async (cluster, { watch, print }) => {
    const { formatDuration } = await import('../../core/durations');
    const { verify } = await import('../../jobs/verify');
    const result = await verify(cluster).wait(watch);
    print(
      result,
      () =>
        `${result.backupSet} of ${cluster.name} passed: restored in ${formatDuration(result.verification.restoreSeconds)}, ${Object.keys(result.counts).length} tables counted`,
    );
    return 0;
  });
}
