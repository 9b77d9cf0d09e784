import { spawn } from 'node:child_process';

export interface StreamOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Standard input; the place for whatever is secret. */
  readonly input?: string;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
  /** Gets the lines of standard output; default: `onLine` gets them too. */
  readonly onOutput?: (line: string) => void;
}

/** Runs a program to its end, line by line; its exit code, or null when a signal ended it. Interrupted, it gets SIGINT. */
export async function stream(
  program: string,
  args: readonly string[],
  options: StreamOptions,
): Promise<number | null> {
  const { signal, onLine, onOutput = onLine, input, env = process.env, ...rest } = options;
  signal.throwIfAborted();
  const child = spawn(program, args, { ...rest, env, stdio: ['pipe', 'pipe', 'pipe'] });
  // One that ends before it has read all: its exit code tells more than the broken pipe.
  child.stdin.on('error', () => undefined).end(input ?? '');
  eachLine(child.stdout, onOutput);
  eachLine(child.stderr, onLine);
  const interrupt = () => child.kill('SIGINT');
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    return code;
  } finally {
    signal.removeEventListener('abort', interrupt);
  }
}

function eachLine(source: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  source.setEncoding('utf8');
  source.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  source.once('end', () => {
    if (rest !== '') onLine(rest);
  });
}
