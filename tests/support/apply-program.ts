import path from 'node:path';
import { buildSync } from 'esbuild';

/** A program `<file> <home> <specification>` that applies, and prints its steps: a process of its own, to be killed. */
export function buildApplyProgram(file: string): void {
  const entry = path.resolve(__dirname, '../../engines/host/provision/apply.ts');
  buildSync({
    stdin: {
      contents: `import { apply } from ${JSON.stringify(entry)};
        const [home, specification] = process.argv.slice(2);
        void apply({ specification: JSON.parse(specification), revision: 1 }, { home, program: null, report: step => console.log(step) });`,
      resolveDir: __dirname,
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    external: ['pg-native'],
  });
}
