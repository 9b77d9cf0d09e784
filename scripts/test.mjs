/*
 * Runs the tests: `node scripts/test.mjs [suite…] [-- jest arguments]`; every suite without arguments. Installs first what
 * they need. The engine suite runs as the operating-system user that runs clusters (PostgreSQL refuses root); the checkout
 * is copied to where that user can read it when it can't. The last line is "N passed, N failed".
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { coverageArguments, uncovered } from './coverage.mjs';
import { ensureNodeModules } from './node-modules.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const usual = ['unit', 'policy', 'toolchain', 'engine', 'rds', 'integration'];
// On a real account of AWS, which costs: only when it is asked for (docs/testing.md).
const suites = [...usual, 'acceptance'];
const { named, jestArguments } = readArguments(process.argv.slice(2));
const chosen = named.length > 0 ? named : usual;
const isRoot = process.getuid?.() === 0;

function readArguments(words) {
  const separator = words.indexOf('--');
  const named = separator < 0 ? words : words.slice(0, separator);
  const unknown = named.filter(name => !suites.includes(name));
  if (unknown.length > 0) {
    console.error(`no such suite: ${unknown.join(', ')} (there are ${suites.join(', ')})`);
    process.exit(2);
  }
  return { named, jestArguments: separator < 0 ? [] : words.slice(separator + 1) };
}

/** The packages of npm and of the system, and Pulumi's programs. */
async function prepare() {
  ensureNodeModules(root);
  const require = createRequire(import.meta.url);
  const { require: requireTypeScript } = require('tsx/cjs/api');
  const { prepareMachine } = requireTypeScript('../tests/support/machine.ts', fileURLToPath(import.meta.url));
  await prepareMachine(line => console.error(line));
  if (chosen.includes('rds')) {
    const { installMoto } = requireTypeScript(
      '../tests/support/moto/install.ts',
      fileURLToPath(import.meta.url),
    );
    // Where it can't be had, the tests that need it say why.
    await installMoto(line => console.error(line)).catch(error => console.error(error.message));
  }
  // Now, because the user of the engine suite can't write into the checkout. Tests that need it say why it can't be made.
  try {
    const { bundle } = require('./bundle.cjs');
    for (const kind of chosen.includes('rds') ? ['machine', 'aws'] : ['machine']) bundle(kind);
  } catch {
    console.error('the program can’t be bundled: tests that need it will fail');
  }
}

/** The user that runs clusters when we are root. */
function clusterOwner() {
  const line = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(entry => entry.startsWith('postgres:'));
  if (!line) throw new Error('there is no user postgres, although the PostgreSQL server is installed');
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

const succeeds = (program, args, options) => spawnSync(program, args, options).status === 0;

/** A Node.js and a checkout that `owner` can use: these, or copies in `scratch`. */
function usableBy(owner, scratch) {
  let node = process.execPath;
  if (!succeeds(node, ['--version'], { cwd: '/', ...owner })) {
    node = path.join(scratch, 'node');
    fs.copyFileSync(process.execPath, node);
  }
  const probe = `require(${JSON.stringify(path.join(root, 'node_modules', 'jest', 'package.json'))})`;
  if (succeeds(node, ['-e', probe], { cwd: '/', ...owner })) return { node, checkout: root };
  const checkout = path.join(scratch, 'checkout');
  console.error('copying the checkout to where the user postgres can read it');
  fs.cpSync(root, checkout, {
    recursive: true,
    verbatimSymlinks: true,
    filter: file => !['.git', 'coverage'].includes(path.relative(root, file).split(path.sep)[0]),
  });
  succeeds('chmod', ['-R', 'a+rX', checkout]);
  return { node, checkout };
}

/** Where and as whom a group of suites runs. */
function placeOf(suite, scratch) {
  const directory = path.join(scratch, suite);
  fs.mkdirSync(directory);
  const here = { node: process.execPath, checkout: root, env: process.env, identity: {}, directory };
  if (suite !== 'engine' || !isRoot) return here;
  const identity = clusterOwner();
  fs.chownSync(directory, identity.uid, identity.gid);
  const env = {
    ...process.env,
    HOME: directory,
    USER: 'postgres',
    LOGNAME: 'postgres',
    JEST_CACHE: path.join(directory, 'jest'),
  };
  // Root's own may be closed to others.
  for (const name of ['TMPDIR', 'XDG_DATA_HOME', 'XDG_CACHE_HOME', 'PULUMI_HOME']) delete env[name];
  return { ...usableBy(identity, scratch), env, identity, directory };
}

function jest(names, { node, checkout, env, identity, directory }) {
  const outputFile = path.join(directory, 'result.json');
  const patterns = jestArguments.filter(argument => !argument.startsWith('-'));
  const args = [
    path.join(checkout, 'node_modules/jest/bin/jest.js'),
    '--selectProjects',
    ...names,
    '--json',
    `--outputFile=${outputFile}`,
    // Only whole suites cover what they have to.
    ...(jestArguments.length === 0 ? coverageArguments(chosen, directory) : []),
    ...jestArguments.filter(argument => argument.startsWith('-')),
    ...(patterns.length > 0 ? ['--passWithNoTests', '--testPathPattern', ...patterns] : []),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(node, args, {
      cwd: checkout,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
      ...identity,
    });
    child.once('error', reject);
    child.once('close', () => resolve(readResult(outputFile)));
  });
}

/** What jest counted; a run that ended before it could count is a failure. */
function readResult(outputFile) {
  if (!fs.existsSync(outputFile)) return { passed: 0, failed: 1, skipped: 0 };
  const result = JSON.parse(fs.readFileSync(outputFile, 'utf8'));
  // A suite that could not even be loaded counts as a failure of its own, and so does whatever else jest failed for.
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return {
    passed: result.numPassedTests,
    failed: failed === 0 && !result.success ? 1 : failed,
    skipped: result.numPendingTests + result.numTodoTests,
  };
}

await prepare();
// Named like the directories of the tests, so that what a killed run left is removed in the same way.
spawnSync(process.execPath, [path.join(root, 'tests/support/guardian.cjs'), 'dead']);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), `holdfast-test-${process.pid}-run-`));
fs.chmodSync(scratch, 0o755);
try {
  const groups = [chosen.filter(name => name !== 'engine'), chosen.filter(name => name === 'engine')];
  const results = [];
  const places = [];
  for (const names of groups)
    if (names.length > 0) {
      const place = placeOf(names[0], scratch);
      places.push(place);
      results.push(await jest(names, place));
    }
  const gaps = jestArguments.length === 0 ? uncovered(chosen, places) : [];
  for (const gap of gaps) console.error(gap);
  // Each file that isn't covered counts as a failure: the tests that it needs are not there.
  results.push({ passed: 0, failed: gaps.length, skipped: 0 });
  const sum = key => results.reduce((total, result) => total + result[key], 0);
  const skipped = sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : '';
  console.log(`${sum('passed')} passed, ${sum('failed')} failed${skipped}`);
  process.exitCode = sum('failed') > 0 ? 1 : 0;
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
