'use strict';
/*
 * A hash of what a built file is made of. Its name carries it, so that it is always that of the current sources, and made only
 * when they changed.
 */
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const root = path.resolve(__dirname, '..');

/** Of all TypeScript in these folders of the checkout, of these files, and of the packages' versions. */
exports.sourceHash = function sourceHash(folders, files) {
  const found = ['package-lock.json', 'scripts/source-hash.cjs', ...files];
  const visit = folder => {
    for (const entry of fs.readdirSync(path.join(root, folder), { withFileTypes: true })) {
      const name = path.posix.join(folder, entry.name);
      if (entry.isDirectory()) visit(name);
      else if (entry.name.endsWith('.ts')) found.push(name);
    }
  };
  for (const folder of folders) visit(folder);
  const hash = createHash('sha256');
  for (const name of found.sort())
    hash
      .update(name)
      .update('\0')
      .update(fs.readFileSync(path.join(root, name)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
};
