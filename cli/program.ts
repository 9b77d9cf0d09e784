import { Command } from 'commander';
import { backupCommand } from './commands/backup';
import { cloneCommand, cloneDropCommand, clonesCommand } from './commands/clone';
import { downCommand } from './commands/down';
import { envCommand } from './commands/env';
import { hostCommand } from './commands/host';
import { restoreCommand } from './commands/restore';
import { runDueCommand } from './commands/run-due';
import { statusCommand } from './commands/status';
import { upCommand } from './commands/up';
import { verifyCommand } from './commands/verify';
import type { CommandContext } from './invocation';

export const version = '0.1.0';

/** In the order of the help. */
const commands = [
  statusCommand,
  backupCommand,
  verifyCommand,
  cloneCommand,
  clonesCommand,
  cloneDropCommand,
  restoreCommand,
  runDueCommand,
  upCommand,
  downCommand,
  envCommand,
];

/** The whole command line. Only what it says about itself is here; what a command does is loaded when it runs. */
export function createProgram(context: CommandContext): Command {
  const { io } = context;
  const program = new Command('holdfast')
    .description(
      'Keeps PostgreSQL clusters backed up, verified and recoverable, and refuses changes without a recent backup.',
    )
    .version(version, '--version', 'print the version')
    .helpOption('-h, --help', 'print what a command does and takes')
    .helpCommand('help [command]', 'print what a command does and takes')
    .option(
      '--home <directory>',
      'Holdfast’s directory on this machine (default: HOLDFAST_HOME, else /var/lib/holdfast as root, else ' +
        '~/.local/share/holdfast)',
    )
    .option(
      '--region <region>',
      'the cluster is on Amazon RDS in this region (default: as the stack files of the project say)',
    )
    .option('--json', 'print one JSON document on standard output, and errors as JSON on standard error')
    .showSuggestionAfterError()
    .showHelpAfterError('(holdfast --help lists the commands)')
    .configureHelp({ showGlobalOptions: true });
  for (const make of commands) program.addCommand(make(context));
  program.addCommand(hostCommand(context), { hidden: true });
  program.exitOverride().configureOutput({
    writeOut: text => void io.stdout.write(text),
    writeErr: text => void io.stderr.write(text),
    getOutHasColors: () => io.color,
    getErrHasColors: () => io.terminal && io.color,
  });
  for (const command of descendants(program)) command.copyInheritedSettings(program);
  return program;
}

export function descendants(command: Command): Command[] {
  return command.commands.flatMap(child => [child, ...descendants(child)]);
}
