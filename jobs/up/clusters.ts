import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes, HoldfastError } from '../../core/errors';
import { ownProgram } from '../program';
import type { SurveyedCluster } from '../survey';
import { stream } from './stream';

/** A job that takes longer than this is looked into by a person. */
const patienceMilliseconds = 30 * 60_000;

/**
 * Runs this same program for what is to be done on clusters: each command becomes the owner of its cluster for good, which
 * this process can't, and may work on another machine.
 */
export class ClusterCommands {
  constructor(
    private readonly place: {
      readonly home: string;
      readonly checkout: string;
      readonly env: Readonly<Record<string, string>>;
      readonly report: (line: string) => void;
      readonly signal: AbortSignal;
    },
  ) {}

  /** Runs a command whose progress is shown; its exit code and standard output. */
  run(...args: readonly string[]): Promise<{ readonly code: number | null; readonly stdout: string }> {
    return this.start(args);
  }

  /**
   * Runs a command under `holdfast host`, which reads a document and has to succeed; the document that it prints. While another
   * job holds the cluster, it is waited for.
   */
  async host(verb: string, document: object): Promise<unknown> {
    const printed = await this.untilFree(['host', verb, '--json'], JSON.stringify(document));
    return JSON.parse(printed) as unknown;
  }

  private async start(args: readonly string[], input?: string) {
    const output: string[] = [];
    const { home, checkout, env, report, signal } = this.place;
    const code = await stream(process.execPath, [ownProgram().file, '--home', home, ...args], {
      cwd: checkout,
      ...(input === undefined ? {} : { input }),
      env: { ...process.env, ...env },
      signal,
      onLine: line => report(`  ${line}`),
      onOutput: line => output.push(line),
    });
    return { code, stdout: output.join('\n') };
  }

  /** Runs a command that has to succeed. While another job holds the cluster, the schedule's for one, it is waited for. */
  async succeed(...args: readonly string[]): Promise<void> {
    await this.untilFree(args);
  }

  private async untilFree(args: readonly string[], input?: string): Promise<string> {
    const deadline = Date.now() + patienceMilliseconds;
    for (;;) {
      const { code, stdout } = await this.start(args, input);
      if (code === 0) return stdout;
      if (code !== exitCodes.busy || Date.now() > deadline) throw failed(args, code);
      await sleep(2000, undefined, { signal: this.place.signal });
    }
  }

  /** The state of the clusters of the project; it is read from its document, whatever the exit code says of them. */
  async survey(): Promise<readonly SurveyedCluster[]> {
    const { code, stdout } = await this.run('status', '--json');
    try {
      return (JSON.parse(stdout) as { clusters: SurveyedCluster[] }).clusters;
    } catch (cause) {
      throw new HoldfastError('engine-failed', `holdfast status ended with ${code ?? 'a signal'}`, { cause });
    }
  }
}

function failed(args: readonly string[], code: number | null): HoldfastError {
  return new HoldfastError('engine-failed', `holdfast ${args.join(' ')} ended with ${code ?? 'a signal'}`, {
    hint: 'Its own message is above. When that is solved, run this again: it goes on from here.',
  });
}
