import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { removeTempDirs, tempDir } from '../../support/temp';

const script = pathToFileURL(path.resolve(__dirname, '../../../scripts/node-modules.mjs')).href;

afterAll(removeTempDirs);

/** A checkout with one package, and a program of its own. */
function checkout(): string {
  const root = path.join(tempDir(), 'a check out');
  const write = (name: string, content: string, mode = 0o644) => {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), content, { mode });
  };
  const packages = { '': { version: '0.1.0' }, 'node_modules/zod': { version: '4.6.7' } };
  write('package.json', '{"bin": {"holdfast": "bin/holdfast.mjs"}}');
  write('package-lock.json', JSON.stringify({ packages }));
  write('node_modules/.package-lock.json', JSON.stringify({ packages }));
  write('node_modules/.bin/zod', '');
  write('bin/holdfast.mjs', '#!/usr/bin/env node\nconsole.log("here", import.meta.url);', 0o755);
  return root;
}

/** Runs `ensureNodeModules` (in a module that jest can't load), with an npm that fails. */
function ensure(root: string): void {
  const npm = tempDir();
  fs.writeFileSync(path.join(npm, 'npm'), '#!/bin/sh\necho "no npm is needed"\nexit 1\n', { mode: 0o755 });
  const program = `const { ensureNodeModules } = await import(${JSON.stringify(script)});
    ensureNodeModules(${JSON.stringify(root)});`;
  const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: { ...process.env, PATH: `${npm}:${process.env.PATH}` },
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
}

describe('our own program', () => {
  test('lies among those of the packages, also where these are installed already, and moves with the checkout', () => {
    const root = checkout();
    ensure(root);
    const moved = `${root} elsewhere`;
    fs.renameSync(root, moved);
    const link = path.join(moved, 'node_modules/.bin/holdfast');
    const { stdout } = spawnSync(link, { encoding: 'utf8' });
    expect(stdout).toBe(`here ${pathToFileURL(path.join(moved, 'bin/holdfast.mjs')).href}\n`);
  });

  test('is linked once: doing it again changes nothing', () => {
    const root = checkout();
    ensure(root);
    const link = path.join(root, 'node_modules/.bin/holdfast');
    const before = fs.lstatSync(link).ino;
    ensure(root);
    expect(fs.lstatSync(link).ino).toBe(before);
    expect(fs.readdirSync(path.dirname(link)).sort()).toEqual(['holdfast', 'zod']);
  });

  test.each([
    ['leads elsewhere', (link: string) => fs.symlinkSync('../../old/holdfast.mjs', link)],
    ['is a file', (link: string) => fs.writeFileSync(link, 'old')],
  ])('takes the place of what %s', (_, old) => {
    const root = checkout();
    const link = path.join(root, 'node_modules/.bin/holdfast');
    old(link);
    ensure(root);
    expect(fs.readlinkSync(link)).toBe('../../bin/holdfast.mjs');
  });
});
