'use strict';
/*
 * The head of the one program. The program itself follows as comments, which Node.js passes over: it is compiled here, with what
 * V8 made of the same text before (its code cache), where that lies beside it as <this file>.cache. Without one it runs all the
 * same, and begins later. To read it: sed 's|^//||'. See docs/decisions/0010-code-cache.md.
 */
const fs = require('node:fs');
const vm = require('node:vm');

const marker = '\n// The program:\n';
const cacheFile = `${__filename}.cache`;
const own = fs.statSync(__filename);
/** What a code cache belongs to. V8 itself looks at its version and flags, but at no more than the length of the text. */
const origin = `${process.version} ${process.arch} ${own.size} ${own.mtimeMs}`.padEnd(64);

/** Strictly what was made of this text, by who made this file, and no more open to others than it: it is run like it. */
function readCache() {
  let file;
  try {
    file = fs.openSync(cacheFile, 'r');
    const { uid, gid, mode } = fs.fstatSync(file);
    if (uid !== own.uid || gid !== own.gid || mode !== own.mode) return undefined;
    const content = fs.readFileSync(file);
    const end = content.length - origin.length;
    return content.toString('latin1', end) === origin ? content.subarray(0, end) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) fs.closeSync(file);
  }
}

function compile(cachedData) {
  const file = fs.readFileSync(__filename, 'latin1');
  const begin = file.indexOf(marker) + marker.length;
  const text = `(function (exports, require, module, __filename, __dirname) {${file.slice(begin).replace(/^\/\//gm, '')}\n})`;
  // Errors name this file, and the line in it.
  const lineOffset = file.slice(0, begin).split('\n').length - 1;
  return new vm.Script(text, { filename: __filename, lineOffset, cachedData });
}

/** Whole or not at all, whoever else writes it too. */
function writeCache() {
  if (readCache() !== undefined) return;
  const v8 = require('node:v8');
  // Every function, not only those that have been called: which ones will be isn't known.
  v8.setFlagsFromString('--no-lazy');
  const script = compile();
  v8.setFlagsFromString('--lazy');
  const half = `${cacheFile}.${process.pid}`;
  try {
    const file = fs.openSync(half, 'wx', 0o600);
    fs.writeFileSync(file, Buffer.concat([script.createCachedData(), Buffer.from(origin)]));
    fs.fchmodSync(file, own.mode & 0o777);
    fs.fsyncSync(file);
    fs.closeSync(file);
    fs.renameSync(half, cacheFile);
  } finally {
    fs.rmSync(half, { force: true });
  }
}

if (process.argv[2] === '--write-code-cache') writeCache();
else compile(readCache()).runInThisContext()(exports, require, module, __filename, __dirname);
