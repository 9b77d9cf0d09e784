/*
 * `npm start`: from a fresh clone to a staging and a production cluster running, backed up, verified and gated. Installs the
 * npm packages and hands over to `holdfast up`, which does the rest. Plain Node, and no newer syntax than old versions
 * can read, so that they can be told what is missing.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureNodeModules } from './node-modules.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

function need(condition, message) {
  if (condition) return;
  console.error(message);
  process.exit(2);
}

need(
  Number(process.versions.node.split('.')[0]) >= 20,
  `Holdfast needs Node.js 20 or later; this is ${process.version}`,
);
need(spawnSync('git', ['--version']).status === 0, 'Holdfast needs git: install it and run this again');

ensureNodeModules(root);
const program = path.join(root, 'bin', 'holdfast.mjs');
process.argv = [process.execPath, program, 'up', ...process.argv.slice(2)];
await import(pathToFileURL(program).href);
