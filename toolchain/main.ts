import path from 'node:path';
import { asHoldfastError } from '../core/errors';
import { ensureToolchain } from './install';

/** `npx tsx toolchain/main.ts [project directory]`: installs the toolchain by hand; prints the path of the CLI. */
async function main(): Promise<void> {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupt.abort(new Error(`interrupted by ${signal}`)));
  const report = (line: string) => void process.stderr.write(`${line}\n`);
  try {
    const { pulumi, steps } = await ensureToolchain({
      projectDirectory: process.argv[2] ?? path.dirname(__dirname),
      report,
      signal: interrupt.signal,
    });
    for (const step of steps) report(`${step.component}: ${step.outcome} (${step.reason})`);
    process.stdout.write(`${pulumi}\n`);
  } catch (thrown) {
    const error = asHoldfastError(thrown);
    report(error.describe());
    process.exitCode = error.exitCode;
  }
}

void main();
