import { Command } from 'commander';
import { HoldfastError } from '../../core/errors';
import { act, type CommandContext } from '../invocation';

interface DownOptions {
  readonly production?: boolean;
  readonly yesDeleteProductionData?: boolean;
}

export function downCommand(context: CommandContext): Command {
  const command = new Command('down')
    .description(
      'Take the embedded default apart. Staging goes with all that is in it. Production stays, unless both options are given, ' +
        'and even then only after a final full backup that was verified; the repository with it is kept, and named.',
    )
    .summary('take staging (and, if you insist, production) apart')
    .option('--production', 'production too')
    .option('--yes-delete-production-data', 'yes, the data of production too; its final backup is kept');
  return act<DownOptions>(command, context, async ({ home, options, watch, print }) => {
    const production = options.production ?? false;
    if (production !== (options.yesDeleteProductionData ?? false))
      throw new HoldfastError('refused', 'production is only taken apart with both options', {
        hint: 'holdfast down --production --yes-delete-production-data; nothing was changed.',
      });
    const { down } = await import('../../jobs/down/down');
    const report = await down(
      home,
      { production },
      { report: step => watch.report({ fraction: null, step }), signal: watch.signal },
    );
    print(report, () =>
      [
        report.removed.length === 0 ? 'Nothing to take apart.' : `Gone: ${report.removed.join(' and ')}.`,
        ...report.kept.map(
          directory => `Kept: ${directory} (docs/operations.md says how to restore from it)`,
        ),
      ].join('\n'),
    );
    return 0;
  });
}
