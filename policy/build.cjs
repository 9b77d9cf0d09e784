'use strict';
/*
 * Makes one file of the pack, which loads in a fraction of the time that its sources and the SDK's would take. In a
 * checkout `builtPack()` is always that of the current sources: dist/holdfast-policy-<hash>.cjs, made only when they
 * changed. `node policy/build.cjs` makes the npm package in policy/dist, which needs nothing of the checkout.
 */
const fs = require('node:fs');
const path = require('node:path');
const { sourceHash } = require('../scripts/source-hash.cjs');

const root = path.resolve(__dirname, '..');
const layers = ['policy', 'jobs', 'engines', 'core'];

/**
 * @pulumi/policy takes `asset` from all of @pulumi/pulumi, whose 560 modules take as long to load as everything else
 * together. What it loads by deeper paths is loaded already: by the program that runs the pack.
 */
const onlyAssets = {
  name: 'only assets of @pulumi/pulumi',
  setup(build) {
    build.onResolve({ filter: /^@pulumi\/pulumi$/ }, () => ({ path: 'assets', namespace: 'pulumi' }));
    build.onLoad({ filter: /.*/, namespace: 'pulumi' }, () => ({
      contents: "exports.asset = require('@pulumi/pulumi/asset');",
      resolveDir: root,
    }));
  },
};

async function build(outfile) {
  await require('esbuild').build({
    entryPoints: [path.join(root, 'policy/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // Messages and their services must be the very ones that the pack's runner uses.
    external: ['@pulumi/pulumi/*', '@grpc/grpc-js', 'google-protobuf', 'esbuild', 'pg-native'],
    plugins: [onlyAssets],
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'error',
  });
}

/** The built pack of the current sources. Safe to call from several processes at once. */
async function builtPack() {
  const folder = path.join(root, 'dist');
  const file = path.join(folder, `holdfast-policy-${sourceHash(layers, ['policy/build.cjs'])}.cjs`);
  if (!fs.existsSync(file)) {
    fs.mkdirSync(folder, { recursive: true });
    const half = path.join(folder, `.${process.pid}-${path.basename(file)}`);
    try {
      await build(half);
      fs.renameSync(half, file);
    } finally {
      fs.rmSync(half, { force: true });
    }
  }
  return file;
}

/**
 * The npm package: the built pack, the programs that read evidence, and what npm and Pulumi want to know.
 * It replaces what is in `target`.
 */
async function makePackage(target = path.join(__dirname, 'dist')) {
  const source = JSON.parse(fs.readFileSync(path.join(__dirname, 'package.json'), 'utf8'));
  const versionOf = name => require(`${name}/package.json`).version;
  const manifest = {
    ...source,
    // What build() leaves out of the pack, by the names that it asks for.
    dependencies: Object.fromEntries(
      ['@grpc/grpc-js', '@pulumi/pulumi', 'google-protobuf'].map(name => [name, versionOf(name)]),
    ),
  };
  const { bundle } = require('../scripts/bundle.cjs');
  const programs = { machine: bundle('machine'), aws: bundle('aws') };
  fs.rmSync(target, { recursive: true, force: true });
  fs.mkdirSync(path.join(target, 'scripts'), { recursive: true });
  await build(path.join(target, 'pack/main.cjs'));
  for (const [kind, { file }] of Object.entries(programs))
    fs.copyFileSync(file, path.join(target, `scripts/${kind}.cjs`));
  for (const name of ['PulumiPolicy.yaml', 'light.cjs'])
    fs.copyFileSync(path.join(__dirname, name), path.join(target, name));
  fs.copyFileSync(path.join(root, 'LICENSE'), path.join(target, 'LICENSE'));
  fs.copyFileSync(path.join(root, 'docs/policy.md'), path.join(target, 'README.md'));
  const write = (name, text) => fs.writeFileSync(path.join(target, name), text);
  write('package.json', `${JSON.stringify(manifest, null, 2)}\n`);
  write('index.js', "'use strict';\nrequire('./pack/main.cjs').main();\n");
  // Where jobs/program.ts asks for the program.
  write(
    'scripts/bundle.cjs',
    `'use strict';\nexports.bundle = kind => ({ file: require.resolve(\`./\${kind}.cjs\`), hash: '${programs.machine.hash}' });\n`,
  );
  return target;
}

module.exports = { builtPack, makePackage };
if (require.main === module) void makePackage().then(target => process.stdout.write(`${target}\n`));
