import { Command } from 'commander';
import { actOnCluster, type CommandContext } from '../invocation';

export function runDueCommand(context: CommandContext): Command {
  const command = new Command('run-due')
    .description(
      'What the timer calls every few minutes: run the one backup or verification of a cluster that is due, settle what an ' +
        'interrupted job left, drop expired clones, and alert. Nothing due, or another job at work, is no failure.',
    )
    .summary('run what is due now; called by the timer')
    .argument('<cluster>', 'name of the cluster');
  return actOnCluster(command, context, async (cluster, { watch, print }) => {
    const { runDue } = await import('../../jobs/run-due');
    const report = await runDue(cluster, watch);
    print(report, () =>
      report.job === null
        ? `${cluster.name}: ${report.reason}`
        : `${cluster.name}: ${report.job} ${report.outcome} (${report.reason})`,
    );
    return 0;
  });
}
