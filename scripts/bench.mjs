/*
 * `npm run bench [-- --pairs N] [--only ID]… [--write]`: measures Holdfast against the raw tools and prints the table of
 * docs/performance.md. It brings staging and production up in a directory of its own (or HOLDFAST_HOME), fills 2 GB into
 * production, and takes all of it down again, unless HOLDFAST_HOME named it.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureNodeModules } from './node-modules.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
ensureNodeModules(root);
const given = process.env.HOLDFAST_HOME;
const home = given || fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-bench-'));
const env = { ...process.env, HOLDFAST_HOME: home };
const run = (...args) => spawnSync(process.execPath, args, { cwd: root, env, stdio: 'inherit' }).status ?? 1;
try {
  process.exitCode = run('--import', 'tsx', path.join(root, 'bench/main.ts'), ...process.argv.slice(2));
} finally {
  if (!given) {
    run(path.join(root, 'bin/holdfast.mjs'), 'down', '--production', '--yes-delete-production-data');
    fs.rmSync(home, { recursive: true, force: true });
  }
}
