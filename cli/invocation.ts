import type { Command } from 'commander';
import { HoldfastError } from '../core/errors';
import type { Cluster } from '../jobs/cluster';
import type { Place } from '../jobs/where';
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
  /** The region of AWS that was named: what is asked for is on Amazon RDS. */
  readonly region: string | undefined;
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
  readonly region?: string;
  readonly json?: boolean;
}

/** Makes `run` what a command does. The exit code that it returns counts; none is 0. */
export function act<Options extends object>(
  command: Command,
  { io, outcome }: CommandContext,
  run: (invocation: Invocation<Options>) => Promise<number | undefined>,
): Command {
  return command.action(async () => {
    const { home, region, json = false, ...options } = command.optsWithGlobals<GlobalOptions & Options>();
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
        region,
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
 * The same for a command whose first argument is a cluster: it is opened, or, when it is looked after elsewhere (the project's
 * stack files or `--region` say so), the whole command is run by the program that can.
 */
export function actOnCluster<Options extends object>(
  command: Command,
  context: CommandContext,
  run: (cluster: Cluster, invocation: Invocation<Options>) => Promise<number | undefined>,
): Command {
  return act<Options>(command, context, async invocation => {
    const { io, home, region } = invocation;
    const name = invocation.args[0] ?? '';
    const { openCluster } = await import('../jobs/context');
    if (region !== undefined) return run(await openCluster({ home, region }, name), invocation);
    const place = await placeOf(name, invocation);
    if (place.type === 'local') return run(await openCluster({ home }, name), invocation);
    const { forward } = await import('../jobs/forward');
    return forward(place, context.args, { ...io, stdin: io.lines.input });
  });
}

/** Where the cluster is: as the project's stack files say, else on this machine. */
async function placeOf(name: string, { io, home }: Invocation<object>): Promise<Place> {
  const { declaredClusters } = await import('../jobs/stacks');
  const { clusterNames } = await import('../jobs/context');
  const declared = (await declaredClusters(io.directory)).find(cluster => cluster.name === name);
  if (declared === undefined) return { type: 'local' };
  if (declared.place.type === 'local' && !(await clusterNames(home)).includes(name))
    throw new HoldfastError('configuration', `${name} is not provisioned`, {
      hint: `Stack ${declared.stack} declares it: pulumi up --stack ${declared.stack}`,
    });
  return declared.place;
}
