'use strict';
/*
 * Makes the program that people, Pulumi and the timer run: dist/holdfast-<hash of the sources>.cjs; and the one that can ask
 * AWS, with AWS's SDK in it: dist/holdfast-aws-<hash>.cjs, also as a function of AWS Lambda. The name carries the hash, so that it is always that of the current
 * sources, and made only when they changed. Its head is scripts/loader.cjs; beside it lies its code cache.
 */
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { sourceHash } = require('./source-hash.cjs');

const root = path.resolve(__dirname, '..');
const layers = ['cli', 'jobs', 'engines', 'core', 'toolchain'];

/** What each program is made of, and the oldest Node.js that it runs on (jobs/program.ts says what it can do). */
const kinds = {
  machine: { name: 'holdfast', entry: 'cli/main.ts', target: 'node18', head: true },
  aws: { name: 'holdfast-aws', entry: 'cli/main.ts', target: 'node20', head: true },
  // AWS Lambda loads it as a module, once for many calls: nothing is gained by a code cache. Of ECMAScript modules what isn't
  // used is left out: half the text to read at a cold start.
  lambda: {
    name: 'holdfast-lambda',
    entry: 'cli/lambda.ts',
    target: 'node20',
    head: false,
    mainFields: ['module', 'main'],
  },
};

/**
 * The program of the current sources: { file, hash }. Safe to call from several processes at once.
 * `folder` is another place for it than dist/.
 */
function bundle(kind = 'machine', folder = path.join(root, 'dist')) {
  const hash = sourceHash(layers, ['scripts/bundle.cjs', 'scripts/loader.cjs']);
  const { name, entry, target, head, mainFields } = kinds[kind];
  const file = path.join(folder, `${name}-${hash}.cjs`);
  if (!fs.existsSync(file)) {
    fs.mkdirSync(folder, { recursive: true });
    const half = path.join(folder, `.${process.pid}-${name}-${hash}.cjs`);
    try {
      const { outputFiles } = require('esbuild').buildSync({
        entryPoints: [path.join(root, entry)],
        write: false,
        bundle: true,
        platform: 'node',
        target,
        format: 'cjs',
        mainFields,
        external: ['esbuild', 'pg-native'],
        // pg looks whether it runs at Cloudflare by way of Response, for which Node.js loads its whole HTTP client.
        define: {
          HOLDFAST_PROGRAM_HASH: JSON.stringify(hash),
          HOLDFAST_PROGRAM_KIND: JSON.stringify(kind),
          ...(kind === 'machine' ? { Response: 'undefined' } : {}),
        },
        // Half the text to read at every start; names stay, so that a stack trace still says something.
        minifyWhitespace: true,
        minifySyntax: true,
        legalComments: 'none',
        logLevel: 'error',
      });
      fs.writeFileSync(half, head ? withLoader(outputFiles[0].text) : outputFiles[0].text);
      fs.renameSync(half, file);
      // Where it lies now: errors name the file that the cache was made for.
      if (head) execFileSync(process.execPath, [file, '--write-code-cache']);
    } finally {
      fs.rmSync(half, { force: true });
    }
  }
  return { file, hash };
}

function withLoader(program) {
  const loader = fs.readFileSync(path.join(__dirname, 'loader.cjs'), 'utf8');
  return `${loader}\n// The program:\n${program.replace(/^/gm, '//')}`;
}

module.exports = { bundle };
if (require.main === module) process.stdout.write(`${bundle().file}\n`);
