import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { removeTempDirs, tempDir } from '../../support/temp';

const loader = fs.readFileSync(path.resolve(__dirname, '../../../scripts/loader.cjs'), 'utf8');
const isRoot = process.getuid?.() === 0;

/** Made as scripts/bundle.cjs makes it. */
const withLoader = (program: string) => `${loader}\n// The program:\n${program.replace(/^/gm, '//')}`;
/** Of the same length for every word. */
const says = (word: string) => withLoader(`function say() { console.log('${word.padEnd(8)}'); }\nsay();\n`);

let file: string;
beforeEach(() => (file = path.join(tempDir(), 'program.cjs')));
afterAll(removeTempDirs);

function run(...args: string[]) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [file, ...args], { encoding: 'utf8' });
  return { said: stdout.trim(), stderr, status };
}
const writeCodeCache = () => expect(run('--write-code-cache')).toEqual({ said: '', stderr: '', status: 0 });

test('a program runs as if it were not behind a loader', () => {
  fs.writeFileSync(
    file,
    withLoader(`
      const { basename } = require('node:path');
      //\` not a comment
      console.log(basename(__filename), process.argv.slice(2), \`two
//lines\`, module.exports === exports);
      process.exitCode = 3;`),
  );
  const expected = { said: "program.cjs [ 'a', '--b' ] two\n//lines true", stderr: '', status: 3 };
  expect(run('a', '--b')).toEqual(expected);
  writeCodeCache();
  expect(run('a', '--b')).toEqual(expected);
});

test('an error names the file and the line in it', () => {
  fs.writeFileSync(file, withLoader(`\n\nthrow new Error('here');`));
  const line = fs.readFileSync(file, 'utf8').split('\n').length;
  for (const prepare of [() => undefined, writeCodeCache]) {
    prepare();
    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining(`${file}:${line}`) as unknown });
  }
});

describe('the code cache', () => {
  /** Puts another program of the same length in its place, of which only the time of the file tells. */
  function replace(alter: () => void = () => undefined): void {
    fs.writeFileSync(file, says('one'));
    const { atime, mtime } = fs.statSync(file);
    fs.utimesSync(file, atime, mtime);
    writeCodeCache();
    fs.writeFileSync(file, says('another'));
    fs.utimesSync(file, atime, mtime);
    alter();
  }
  const cache = () => `${file}.cache`;

  test('is what runs', () => {
    replace();
    expect(run().said).toBe('one');
  });

  test.each<[string, () => void]>([
    ['of an older file', () => fs.utimesSync(file, 1, 1)],
    ['that others may write', () => fs.chmodSync(cache(), 0o666)],
    ['that was cut off', () => fs.truncateSync(cache(), 1000)],
    ['of nothing', () => fs.truncateSync(cache(), 0)],
    [
      'that is a directory',
      () => {
        fs.rmSync(cache());
        fs.mkdirSync(cache());
      },
    ],
    [
      'that V8 can’t use',
      () => {
        const content = fs.readFileSync(cache());
        fs.writeFileSync(cache(), content.fill(7, 0, content.length - 64));
      },
    ],
    [
      'of another version of Node.js',
      () => {
        const content = fs.readFileSync(cache());
        content.write('v1', content.length - 64);
        fs.writeFileSync(cache(), content);
      },
    ],
  ])('%s is passed over', (_, alter) => {
    replace(alter);
    expect(run()).toEqual({ said: 'another', stderr: '', status: 0 });
  });

  (isRoot ? test.each : test.skip.each)([
    ['another user', 65_534, 0],
    ['another group', 0, 65_534],
  ])('of %s is passed over', (_, uid, gid) => {
    replace(() => fs.chownSync(cache(), uid, gid));
    expect(run()).toEqual({ said: 'another', stderr: '', status: 0 });
  });

  test('is as open to others as the program, whatever the umask, and leaves nothing beside it', () => {
    fs.writeFileSync(file, says('one'));
    fs.chmodSync(file, 0o755);
    const umask = process.umask(0o077);
    try {
      writeCodeCache();
    } finally {
      process.umask(umask);
    }
    expect(fs.statSync(cache()).mode & 0o777).toBe(0o755);
    expect(fs.readdirSync(path.dirname(file)).sort()).toEqual(['program.cjs', 'program.cjs.cache']);
  });

  test('that can’t be written is said, and keeps no program from running', () => {
    fs.writeFileSync(file, says('one'));
    fs.mkdirSync(cache());
    expect(run('--write-code-cache').status).not.toBe(0);
    expect(run().said).toBe('one');
    expect(fs.readdirSync(path.dirname(file)).sort()).toEqual(['program.cjs', 'program.cjs.cache']);
  });
});
