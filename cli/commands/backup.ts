import { Command, Option } from 'commander';
import type { BackupKind } from '../../core/evidence';
import { actOnCluster, type CommandContext } from '../invocation';

export function backupCommand(context: CommandContext): Command {
  const command = new Command('backup')
    .description(
      'Take a backup of a cluster now. The first backup of a cluster is a full one, whatever is asked for. Exits 6 when a ' +
        'backup or a restore of it is running.',
    )
    .summary('take a backup of a cluster now')
    .argument('<cluster>', 'name of the cluster')
    .addOption(
      new Option('--kind <kind>', 'what it contains')
        .choices(['full', 'differential', 'incremental'])
        .default('incremental'),
    )
    .option('--change <id>', 'the change that it is taken for; kept on the backup set');
  return actOnCluster<{ kind: BackupKind; change?: string }>(
    command,
    context,
    async (cluster, { options: { kind, change }, watch, print }) => {
      const { backup } = await import('../../jobs/backup');
      const { formatBytes } = await import('../format');
      const request = { kind, ...(change === undefined ? {} : { changeId: change }) };
      const set = await backup(cluster, request).wait(watch);
      print(
        set,
        () =>
          `${set.id}: ${set.kind} backup of ${cluster.name}, ${formatBytes(set.sizeBytes)} (${formatBytes(set.storedBytes)} in the repository)`,
      );
      return 0;
    },
  );
}
