import path from 'node:path';
import { buildSync } from 'esbuild';

/** A program `<file> <JSON of a cluster on RDS>` that runs what is due: a process of its own, to be killed. */
export function buildRunDueProgram(file: string): void {
  const root = path.resolve(__dirname, '../../..');
  const from = (module: string): string => JSON.stringify(path.join(root, module));
  buildSync({
    stdin: {
      contents: `import { openRdsEngine } from ${from('engines/rds/engine.ts')};
        import { runDue } from ${from('jobs/run-due.ts')};
        const { specification, ...options } = JSON.parse(process.argv[2]);
        const cluster = { name: specification.cluster, specification, engine: openRdsEngine(options) };
        const watch = { report: ({ step }) => console.log(step), signal: new AbortController().signal };
        void runDue(cluster, watch);`,
      resolveDir: __dirname,
    },
    outfile: file,
    bundle: true,
    platform: 'node',
    external: ['pg-native'],
  });
}
