/*
 * Runs the tests: `node scripts/test.mjs [suite…] [-- jest arguments]`; every suite without arguments.
 * The engine suite runs as the operating-system user that runs clusters (PostgreSQL refuses root); the checkout is copied
 * to where that user can read it when it can't.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const suites = ['unit', 'policy', 'toolchain', 'engine', 'integration'];
const separator = process.argv.indexOf('--');
const named = process.argv.slice(2, separator < 0 ? undefined : separator);
const jestArguments = separator < 0 ? [] : process.argv.slice(separator + 1);
const unknown = named.filter(name => !suites.includes(name));
if (unknown.length > 0) {
  console.error(`no such suite: ${unknown.join(', ')} (there are ${suites.join(', ')})`);
  process.exit(2);
}
const chosen = named.length > 0 ? named : suites;

/** The user that runs clusters when we are root. */
function clusterOwner() {
  const line = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(entry => entry.startsWith('postgres:'));
  if (!line) throw new Error('there is no user postgres: install the PostgreSQL server first');
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

/** A checkout that `owner` can read: this one, or a copy in `scratch`. */
function readableCheckout(owner, scratch) {
  const probe = spawnSync(
    process.execPath,
    ['-e', "require('node:fs').accessSync('node_modules/.bin/jest')"],
    {
      cwd: root,
      ...owner,
    },
  );
  if (probe.status === 0) return root;
  const copy = path.join(scratch, 'checkout');
  fs.cpSync(root, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: file => !['.git', 'coverage'].includes(path.relative(root, file).split(path.sep)[0]),
  });
  return copy;
}

function jest(names, { cwd, env, identity }, outputFile) {
  const args = [
    path.join(cwd, 'node_modules/jest/bin/jest.js'),
    '--selectProjects',
    ...names,
    '--json',
    `--outputFile=${outputFile}`,
    ...jestArguments.filter(argument => argument.startsWith('-')),
    ...(jestArguments.some(argument => !argument.startsWith('-')) || chosen.length < suites.length
      ? ['--passWithNoTests']
      : []),
    ...(jestArguments.some(argument => !argument.startsWith('-'))
      ? ['--testPathPattern', ...jestArguments.filter(argument => !argument.startsWith('-'))]
      : []),
  ];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
      ...identity,
    });
    child.once('error', reject);
    child.once('close', () => resolve(JSON.parse(fs.readFileSync(outputFile, 'utf8'))));
  });
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-test-run-'));
try {
  const results = [];
  const others = chosen.filter(name => name !== 'engine');
  if (others.length > 0)
    results.push(await jest(others, { cwd: root, env: process.env }, path.join(scratch, 'result.json')));
  if (chosen.includes('engine')) {
    const isRoot = process.getuid?.() === 0;
    const identity = isRoot ? clusterOwner() : {};
    const home = path.join(scratch, 'owner');
    fs.mkdirSync(home);
    if (isRoot) {
      fs.chmodSync(scratch, 0o755);
      fs.chownSync(home, identity.uid, identity.gid);
    }
    const cwd = isRoot ? readableCheckout(identity, scratch) : root;
    const env = isRoot
      ? {
          ...process.env,
          HOME: home,
          USER: 'postgres',
          LOGNAME: 'postgres',
          JEST_CACHE: path.join(home, 'jest'),
        }
      : process.env;
    results.push(await jest(['engine'], { cwd, env, identity }, path.join(home, 'result.json')));
  }
  const sum = key => results.reduce((total, result) => total + result[key], 0);
  // A suite that could not even be loaded counts as a failure of its own.
  const failed = sum('numFailedTests') + sum('numRuntimeErrorTestSuites');
  console.log(`${sum('numPassedTests')} passed, ${failed} failed`);
  process.exitCode = failed > 0 || results.some(result => !result.success) ? 1 : 0;
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
