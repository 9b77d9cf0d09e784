import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';

/** What a Pulumi command printed, and how it ended. */
export interface PulumiResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Followed {
  /** Gets all that it prints; what was there stays. */
  readonly log: string;
  readonly onLine: (line: string) => void;
}

/** Pulumi's own program, at work in one project. npm's wrapper passes no signals on, so it is not used. */
export class Pulumi {
  constructor(
    private readonly place: {
      readonly program: string;
      readonly project: string;
      /** What differs from this process's environment. */
      readonly env: Readonly<Record<string, string>>;
      readonly signal: AbortSignal;
    },
  ) {}

  /** Runs a command to its end, whatever its exit code. */
  async run(args: readonly string[], input?: string): Promise<PulumiResult> {
    const child = this.start(args, ['pipe', 'pipe', 'pipe']);
    const stdout = collect(child, 'stdout');
    const stderr = collect(child, 'stderr');
    child.stdin?.on('error', () => undefined).end(input ?? '');
    const code = await this.ended(child);
    return { code, stdout: stdout(), stderr: stderr() };
  }

  /** Runs a command that has to succeed; its standard output. */
  async succeed(args: readonly string[], input?: string): Promise<string> {
    const result = await this.run(args, input);
    if (result.code === 0) return result.stdout;
    throw new HoldfastError('engine-failed', `pulumi ${args.join(' ')} failed: ${reasonOf(result)}`);
  }

  /**
   * Runs a command that may take long. It writes to a file, not to us: should this process be killed, it still comes to
   * its own end, and the next run waits for it.
   */
  async follow(args: readonly string[], { log, onLine }: Followed): Promise<number | null> {
    fs.mkdirSync(path.dirname(log), { recursive: true, mode: 0o700 });
    const file = fs.openSync(log, 'a', 0o600);
    const tail = new Tail(log, fs.fstatSync(file).size, onLine);
    try {
      const child = this.start(args, ['ignore', file, file]);
      return await this.ended(child);
    } finally {
      fs.closeSync(file);
      tail.close();
    }
  }

  private start(args: readonly string[], stdio: ('pipe' | 'ignore' | number)[]): ChildProcess {
    this.place.signal.throwIfAborted();
    const bin = path.dirname(this.place.program);
    return spawn(this.place.program, [...args, '--non-interactive', '--color=never'], {
      cwd: this.place.project,
      env: { ...process.env, ...this.place.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` },
      // A session of its own: Ctrl-C reaches it once, through us, and what it leaves when killed can be found by it.
      detached: true,
      stdio,
    });
  }

  /** Waits for the end. At Ctrl-C Pulumi finishes the steps in flight, and so leaves nothing unknown. */
  private async ended(child: ChildProcess): Promise<number | null> {
    const interrupt = () => child.kill('SIGINT');
    this.place.signal.addEventListener('abort', interrupt, { once: true });
    try {
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once('error', error =>
          reject(
            new HoldfastError('engine-failed', `Pulumi can't be run: ${error.message}`, { cause: error }),
          ),
        );
        child.once('close', resolve);
      });
      this.place.signal.throwIfAborted();
      return code;
    } finally {
      this.place.signal.removeEventListener('abort', interrupt);
    }
  }
}

/** The lines of a file as they are appended, from `position` on. */
class Tail {
  private readonly file: number;
  private readonly watcher: fs.FSWatcher;
  private rest = '';

  constructor(
    name: string,
    private position: number,
    private readonly onLine: (line: string) => void,
  ) {
    this.file = fs.openSync(name, 'r');
    this.watcher = fs.watch(name, () => this.read());
  }

  close(): void {
    this.watcher.close();
    this.read();
    fs.closeSync(this.file);
    if (this.rest !== '') this.onLine(this.rest);
  }

  private read(): void {
    const buffer = Buffer.alloc(64 * 1024);
    for (;;) {
      const count = fs.readSync(this.file, buffer, 0, buffer.length, this.position);
      if (count === 0) return;
      this.position += count;
      const lines = (this.rest + buffer.toString('utf8', 0, count)).split('\n');
      this.rest = lines.pop() ?? '';
      for (const line of lines) this.onLine(line);
    }
  }
}

function collect(child: ChildProcess, stream: 'stdout' | 'stderr'): () => string {
  const chunks: Buffer[] = [];
  child[stream]?.on('data', (chunk: Buffer) => chunks.push(chunk));
  return () => Buffer.concat(chunks).toString('utf8');
}

/** What Pulumi said about a failure, without its decoration. */
export function reasonOf(result: PulumiResult): string {
  const said = result.stderr.trim() === '' ? result.stdout : result.stderr;
  return said.replace(/^error: /, '').trim() || `it ended with ${result.code ?? 'a signal'}`;
}
