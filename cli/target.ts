import { Option, type Command } from 'commander';

export interface TargetOptions {
  readonly at?: string;
  readonly restorePoint?: string;
  readonly latest?: boolean;
}

/** To which moment to go back: the same three options everywhere. */
export function addTargetOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--at <time>', 'a moment, with its offset: "2026-01-02 03:04:05+00"').conflicts([
        'restorePoint',
        'latest',
      ]),
    )
    .addOption(
      new Option(
        '--restore-point <name>',
        'a named restore point; everything before it, nothing after',
      ).conflicts(['latest']),
    )
    .option('--latest', 'the last moment whose WAL is archived');
}
