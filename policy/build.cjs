'use strict';
/*
 * Makes one file of the pack, which loads in a fraction of the time that its sources take. In a checkout `builtPack()` is
 * always that of the current sources: dist/holdfast-policy-<hash>.cjs, made only when they changed. `node policy/build.cjs`
 * makes the npm package in policy/dist, which needs nothing of the checkout.
 */
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');
const layers = ['policy', 'jobs', 'engines', 'core'];

function sources() {
  const found = ['package-lock.json', 'policy/build.cjs'];
  const visit = folder => {
    for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) visit(name);
      else if (entry.name.endsWith('.ts')) found.push(name);
    }
  };
  for (const layer of layers) visit(layer);
  return found.sort();
}

function sourceHash() {
  const hash = createHash('sha256');
  for (const name of sources())
    hash
      .update(name)
      .update('\0')
      .update(fs.readFileSync(path.join(root, name)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

function build(outfile) {
  require('esbuild').buildSync({
    entryPoints: [path.join(root, 'policy/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // The SDK must be the one that started the pack; the rest is for a person's commands only.
    external: ['@pulumi/*', 'esbuild', 'pg-native'],
    legalComments: 'none',
    logLevel: 'error',
  });
}

/** The built pack of the current sources. Safe to call from several processes at once. */
function builtPack() {
  const folder = path.join(root, 'dist');
  const file = path.join(folder, `holdfast-policy-${sourceHash()}.cjs`);
  if (!fs.existsSync(file)) {
    fs.mkdirSync(folder, { recursive: true });
    const half = path.join(folder, `.${process.pid}-${path.basename(file)}`);
    try {
      build(half);
      fs.renameSync(half, file);
    } finally {
      fs.rmSync(half, { force: true });
    }
  }
  return file;
}

module.exports = { builtPack };
