import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import type { Properties } from './values';

export interface Call {
  readonly region: string;
  /** As botocore names it: `rds`, `ec2`. */
  readonly service: string;
  readonly operation: string;
  readonly parameters: Properties;
}

/** AWS refused. */
export class AwsError extends Error {
  constructor(
    /** `DBInstanceNotFound`, `AccessDenied`. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }

  /** Whether it says that there is no such thing. */
  get isNotFound(): boolean {
    return /NotFound|NoSuchEntity|NonExistentQueue|NotExist/.test(this.code);
  }
}

interface Waiting {
  readonly resolve: (answer: Properties) => void;
  readonly reject: (error: Error) => void;
}

type Reply =
  { readonly answer: Properties } | { readonly error: { readonly code: string; readonly message: string } };

/** Calls operations of AWS, one at a time, by way of a process of botocore. */
export class Aws {
  private process: ChildProcessWithoutNullStreams | undefined;
  private readonly waiting: Waiting[] = [];

  /** @param python one that has botocore */
  constructor(private readonly python: string) {}

  call(call: Call): Promise<Properties> {
    this.process ??= this.start();
    const { stdin } = this.process;
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      stdin.write(`${JSON.stringify(call)}\n`);
    });
  }

  /** Ends the process, after what it still has to answer. */
  close(): void {
    this.process?.stdin.end();
  }

  private start(): ChildProcessWithoutNullStreams {
    const child = spawn(this.python, [path.join(__dirname, 'aws.py')], {
      // Said, because jest gives tests an environment of their own.
      env: process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let problems = '';
    child.stderr.on('data', (chunk: Buffer) => (problems += chunk.toString('utf8')));
    const fail = (reason: string): void => {
      this.process = undefined;
      for (const { reject } of this.waiting.splice(0)) reject(new Error(`${reason}\n${problems}`));
    };
    child.once('error', error => fail(`${this.python} can’t be started: ${error.message}`));
    child.once('close', code => fail(`${this.python} ended with ${code}`));
    child.stdin.on('error', () => undefined);
    readline.createInterface({ input: child.stdout }).on('line', line => {
      const reply = JSON.parse(line) as Reply;
      const caller = this.waiting.shift();
      if ('answer' in reply) caller?.resolve(reply.answer);
      else caller?.reject(new AwsError(reply.error.code, reply.error.message));
    });
    return child;
  }
}
