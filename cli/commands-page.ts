import type { Command } from 'commander';
import { Lines } from './lines';
import { createProgram, descendants } from './program';
import { PassThrough } from 'node:stream';
import type { Io } from './io';

const introduction = `# Commands

<!-- Made by \`npm run docs\` from the help of the commands; changes by hand are lost. -->

\`npx holdfast\` in the checkout, or \`node <home>/program/holdfast.cjs\` on a cluster's machine. In a project's directory a command on
a cluster that the stack files declare on another machine runs there, over SSH, with its output, questions and exit code.

Results are on standard output (one JSON document with \`--json\`), progress and errors on standard error.

| exit code | what it means |
| --- | --- |
| 0 | fine |
| 2 | usage or configuration |
| 3 | refused by a gate |
| 4 | a check failed |
| 5 | the engine failed |
| 6 | busy: another job holds the cluster |
| 129, 130, 143 | ended by SIGHUP, SIGINT (Ctrl-C), SIGTERM; what was begun was undone |
`;

/** The reference page of all commands, made of their help. */
export function commandsPage(): string {
  const program = createProgram({ io: nobody(), outcome: { exitCode: 0 }, args: [] });
  const sections = [program, ...descendants(program)].map(command => {
    command.configureHelp({ helpWidth: 100, showGlobalOptions: false });
    return `## \`${pathOf(command)}\`\n\n\`\`\`text\n${command.helpInformation().trim()}\n\`\`\`\n`;
  });
  return [introduction, ...sections].join('\n');
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** Nobody reads or writes while help is made. */
function nobody(): Io {
  const silence = new PassThrough();
  return {
    lines: new Lines(silence),
    stdout: silence,
    stderr: silence,
    env: {},
    directory: '/',
    terminal: false,
    person: false,
    color: false,
    signal: new AbortController().signal,
  };
}
