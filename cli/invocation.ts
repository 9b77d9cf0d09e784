import type { Command } from 'commander';
import { HoldfastError } from '../core/errors';
import type { Cluster } from '../jobs/cluster';
import type { Io } from './io';
import { createProgress } from './progress';

/** Where a command leaves its exit code when it ends without an error. */
export interface Outcome {
  exitCode: number;
}

/** What every command is made with. */
export interface CommandContext {
  readonly io: Io;
  readonly outcome: Outcome;
  /** The whole command line, to be forwarded to where the cluster is. */
  readonly args: readonly string[];
}

/** One call of a command. */
export interface Invocation<Options> {
  readonly io: Io;
  /** The positional arguments, in their order. */
  readonly args: readonly string[];
  readonly options: Options;
  readonly json: boolean;
  /** Holdfast's directory on this machine, as an absolute path. */
  readonly home: string;
  /** Shows progress on standard error, and gives up at Ctrl-C. */
  readonly watch: {
    readonly report: (progress: { fraction: number | null; step: string }) => void;
    readonly signal: AbortSignal;
  };
  /** Prints the result: the document with --json, else what `text` makes of it for a person. */
  readonly print: (document: unknown, text: () => string) => void;
}

interface GlobalOptions {
  readonly home?: string;
  readonly json?: boolean;
}

/** Makes `run` what a command does. The exit code that it returns counts; none is 0. */
export function act<Options extends object>(
  command: Command,
  { io, outcome }: CommandContext,
  run: (invocation: Invocation<Options>) => Promise<number | undefined>,
): Command {
  return command.action(async () => {
    const { home, json = false, ...options } = command.optsWithGlobals<GlobalOptions & Options>();
    const progress = createProgress(io);
    try {
      const { holdfastHome } = await import('../jobs/embedded');
      const exitCode = await run({
        io,
        args: (command.processedArgs as (string | readonly string[] | undefined)[]).flatMap(
          argument => argument ?? [],
        ),
        options: options as Options,
        json,
        home: holdfastHome(home === undefined ? io.env : { HOLDFAST_HOME: home }),
        watch: { report: progress.report, signal: io.signal },
        print: (document, text) => {
          progress.stop();
          io.stdout.write(json ? `${JSON.stringify(document)}\n` : `${text()}\n`);
        },
      });
      outcome.exitCode = exitCode ?? 0;
    } finally {
      progress.stop();
    }
  });
}

/**
 * The same for a command whose first argument is a cluster: it is opened, or, when the project's stack files say that it
 * is on another machine, the whole command is run there.
 */
export function actOnCluster<Options extends object>(
  command: Command,
  context: CommandContext,
  run: (cluster: Cluster, invocation: Invocation<Options>) => Promise<number | undefined>,
): Command {
  return act<Options>(command, context, async invocation => {
    const { io, home } = invocation;
    const name = invocation.args[0] ?? '';
    const { declaredClusters } = await import('../jobs/stacks');
    const declared = (await declaredClusters(io.directory)).find(cluster => cluster.name === name);
    if (declared?.connection.type === 'ssh') {
      const { forward } = await import('../jobs/forward');
      return forward(declared.connection, context.args, { ...io, stdin: io.lines.input });
    }
    const { clusterNames, openCluster } = await import('../jobs/context');
    if (declared !== undefined && !(await clusterNames(home)).includes(name))
      throw new HoldfastError('configuration', `${name} is not provisioned`, {
        hint: `Stack ${declared.stack} declares it: pulumi up --stack ${declared.stack}`,
      });
    return run(await openCluster(home, name), invocation);
  });
}
