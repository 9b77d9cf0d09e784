import { spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Identity } from '../engines/host/owner';

/** What to run and measure. */
export interface Timed {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** As whom, when not as ourselves. */
  readonly identity?: Identity;
}

export interface Measured {
  readonly seconds: number;
  readonly stdout: string;
}

/** Runs a program that has to succeed, and tells how long it took. */
export async function timed(what: Timed): Promise<Measured> {
  const begin = process.hrtime.bigint();
  const child = start(what);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const seconds = Number(process.hrtime.bigint() - begin) / 1e9;
  const stdout = Buffer.concat(out).toString('utf8');
  if (code !== 0)
    throw new Error(
      `${what.program} ${what.args.join(' ')} ended with ${code}:\n${Buffer.concat(err).toString('utf8')}${stdout}`,
    );
  return { seconds, stdout };
}

/** How long something in this process takes. */
export async function secondsOf(what: () => Promise<unknown>): Promise<number> {
  const begin = process.hrtime.bigint();
  await what();
  return Number(process.hrtime.bigint() - begin) / 1e9;
}

/** The most memory that a program's own process had at once, in MB, as the kernel counts it; asked every 20 ms. */
export async function peakMemory(what: Timed): Promise<number> {
  const child = start(what);
  let peak = 0;
  const look = setInterval(() => {
    const status = fs.readFileSync(`/proc/${child.pid}/status`, 'utf8');
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
  }, 20);
  child.stdout.resume();
  child.stderr.resume();
  // Once it has exited nothing can be read any more, so the asking ends with the exit, not with the streams.
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  }).finally(() => clearInterval(look));
  if (code !== 0) throw new Error(`${what.program} ${what.args.join(' ')} ended with ${code}`);
  return peak;
}

function start({ program, args, cwd, env, identity }: Timed) {
  return spawn(program, args, { cwd, env, ...identity, stdio: ['ignore', 'pipe', 'pipe'] });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
