import { Command } from 'commander';
import { act, type CommandContext } from '../invocation';

export function upCommand(context: CommandContext): Command {
  const command = new Command('up')
    .description(
      'Bring the embedded default up on this machine: install what is missing, apply the stacks staging and prod with Pulumi ' +
        'through the policy pack, back up and verify what is new. Interrupted anywhere, the next run goes on; with ' +
        'nothing to change it changes nothing. It is what npm start runs.',
    )
    .summary('bring staging and production up on this machine');
  return act(command, context, async ({ io, home, watch, print }) => {
    const { up } = await import('../../jobs/up/up');
    const { describeSurvey } = await import('../describe-status');
    const report = await up(home, {
      report: step => watch.report({ fraction: null, step }),
      signal: watch.signal,
    });
    print(report, () =>
      [
        report.updated.length === 0 ? 'Nothing to change.' : `Up: ${report.updated.join(' and ')}.`,
        describeSurvey(report.clusters, { color: io.color }),
        nextCommands,
      ].join('\n\n'),
    );
    return report.clusters.every(({ well }) => well) ? 0 : 4;
  });
}

const nextCommands = `Try next:
  npx holdfast status
  npx holdfast clone prod --latest
  eval "$(npx holdfast env)" && npx pulumi preview --stack prod`;
