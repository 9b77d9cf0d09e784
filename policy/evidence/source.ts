import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as z from 'zod';
import { connection } from '../../core/settings/cluster';
import { HoldfastError } from '../../core/errors';

/*
 * Where the pack reads a cluster's evidence from when the stack doesn't say: the continuous integration of another
 * repository, which may read evidence and nothing else (docs/policy.md).
 */

const command = z.strictObject({
  type: z.literal('command'),
  command: z
    .array(z.string().min(1))
    .min(1)
    .describe('Program and arguments; run without a shell, prints the evidence as JSON on standard output.'),
});

const [, ssh] = connection.options;

/** A command, or a machine over SSH (the keys of `connection` in the stack file). */
export const source = z.discriminatedUnion('type', [command, ssh]);
export const sources = z.record(z.string().min(1), source);

export type Source = z.output<typeof source>;
export type Sources = z.output<typeof sources>;
export type CommandSource = z.output<typeof command>;

const run = promisify(execFile);
const maximumBytes = 64 * 1024 * 1024;

/**
 * The JSON document that a command prints.
 * @throws HoldfastError when it can't be started, fails, takes longer than `timeoutSeconds`, or prints something else.
 */
export async function askCommand(source: CommandSource, timeoutSeconds: number): Promise<unknown> {
  const [program, ...args] = source.command as [string, ...string[]];
  let stdout: string;
  try {
    ({ stdout } = await run(program, args, {
      timeout: timeoutSeconds * 1000,
      killSignal: 'SIGKILL',
      maxBuffer: maximumBytes,
    }));
  } catch (cause) {
    throw new HoldfastError('engine-failed', `${program} ${failure(cause, timeoutSeconds)}`, {
      cause,
      hint: `run it by hand: ${source.command.join(' ')}`,
    });
  }
  try {
    return JSON.parse(stdout) as unknown;
  } catch (cause) {
    throw new HoldfastError('engine-failed', `${program} printed something else than JSON`, {
      cause,
      hint: `run it by hand: ${source.command.join(' ')}`,
    });
  }
}

function failure(cause: unknown, timeoutSeconds: number): string {
  const { code, killed, stderr } = cause as { code?: unknown; killed?: boolean; stderr: string };
  if (killed === true) return `took longer than ${timeoutSeconds} s`;
  const said = stderr.trim().replace(/^.*\n/s, '');
  return `failed (${String(code)})${said === '' ? '' : `: ${said}`}`;
}
