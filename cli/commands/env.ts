import { Command } from 'commander';
import { act, type CommandContext } from '../invocation';

export function envCommand(context: CommandContext): Command {
  const command = new Command('env')
    .description(
      'Print what plain Pulumi needs to work on the stacks of the embedded default, gated, as lines for a shell: ' +
        'eval "$(npx holdfast env)"; then npx pulumi preview -s prod, up, stack output and the rest work as Pulumi ' +
        'documents them.',
    )
    .summary('print the environment for plain Pulumi: eval "$(npx holdfast env)"');
  return act(command, context, async ({ home, print }) => {
    const { embeddedPlace } = await import('../../jobs/up/place');
    const { quoted } = await import('../../jobs/env');
    const { env } = embeddedPlace(home);
    print(env, () => quoted(env));
    return 0;
  });
}
