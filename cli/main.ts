import * as z from 'zod';
import { createProgram } from './program';
import { reportFailure } from './failure';
import { Signals } from './interruption';
import { takeForwarding } from './forwarding';
import { processIo, type Io } from './io';

/** Set by scripts/bundle.cjs: this file is then the program, not a module of a test. */
declare const HOLDFAST_PROGRAM_HASH: string;

/** Runs one command line; returns its exit code. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const outcome = { exitCode: 0 };
  try {
    if (args.length === 0) createProgram({ io, outcome, args }).help({ error: true });
    await createProgram({ io, outcome, args }).parseAsync(args, { from: 'user' });
    return outcome.exitCode;
  } catch (thrown) {
    return reportFailure(thrown, io, args.includes('--json'));
  }
}

if (typeof HOLDFAST_PROGRAM_HASH !== 'undefined') {
  // Code made for each schema pays where it is used for ever, not in a command that reads a few documents.
  z.config({ jitless: true });
  // A reader that went away (`holdfast status | head -1`) is no reason to fail loudly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
  // A log on a disk that is full is no reason to give up a backup, or the alert that says so.
  process.stderr.on('error', () => undefined);
  const signals = new Signals();
  const { args, forwarded } = takeForwarding(process.argv.slice(2));
  const io = processIo(signals.signal);
  if (forwarded !== undefined) io.lines.follow(name => signals.receive(name));
  void main(args, forwarded?.person === true ? { ...io, person: true } : io).then(exitCode => {
    process.exitCode = exitCode;
    // An open standard input or an abandoned connection must not keep a finished command alive, once all is written.
    process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
  });
}
