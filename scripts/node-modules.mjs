/*
 * Installs the npm packages of package-lock.json when node_modules lacks some, and links our own programs. npm writes node_modules/.package-lock.json
 * last, so that it tells what a complete installation put there. Plain Node: it runs before there are any packages.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const hiddenLock = root => path.join(root, 'node_modules', '.package-lock.json');

export function isInstalled(root) {
  try {
    const read = file => JSON.parse(fs.readFileSync(file, 'utf8')).packages;
    const installed = read(hiddenLock(root));
    return Object.entries(read(path.join(root, 'package-lock.json'))).every(
      // Packages for other platforms are left out.
      ([name, wanted]) =>
        name === '' || (installed[name]?.version ?? (wanted.optional && wanted.version)) === wanted.version,
    );
  } catch {
    return false;
  }
}

/**
 * Puts our own programs where npm puts those of packages: `node_modules/.bin/holdfast`. npm leaves out the package that it
 * installs for.
 */
export function linkOwnPrograms(root) {
  const { bin } = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));
  const folder = path.join(root, 'node_modules', '.bin');
  for (const [name, file] of Object.entries(bin)) {
    const link = path.join(folder, name);
    const target = path.relative(folder, path.join(root, file));
    if (linkedTo(link) === target) continue;
    // Renamed into its place, so that two at once don't meet.
    const half = path.join(folder, `.${process.pid}-${name}`);
    fs.symlinkSync(target, half);
    fs.renameSync(half, link);
  }
}

function linkedTo(link) {
  try {
    return fs.readlinkSync(link);
  } catch {
    return null;
  }
}

export function ensureNodeModules(root) {
  if (!isInstalled(root)) install(root);
  linkOwnPrograms(root);
}

function install(root) {
  console.error('installing npm packages');
  // npm ci deletes the old packages first: killed in the midst of that, the old list would vouch for what is gone.
  fs.rmSync(hiddenLock(root), { force: true });
  // Standard output is the caller's; npm's own goes where progress goes.
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (error) throw error;
  if (status !== 0) {
    console.error('npm ci failed: its own message is above; run this again when that is solved');
    process.exit(5);
  }
}
