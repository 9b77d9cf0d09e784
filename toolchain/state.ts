import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Component } from './components';

/** In the directory of what we built, and of nothing else: what it was built from. */
const markerName = '.holdfast-build.json';

/**
 * What is at a component's place: `official` was put there by Pulumi or somebody else and is left alone, `ours` was built
 * from the sources as they are, `outdated` from others, `partial` lacks a program.
 */
export type State = 'absent' | 'official' | 'ours' | 'outdated' | 'partial';

/** Looks at what is installed for a component, without running it. */
export async function stateOf(component: Component, pulumiHome: string, goModule: string): Promise<State> {
  const directory = path.join(pulumiHome, component.directory);
  const present = await Promise.all(
    component.programs.map(({ output }) => isProgram(path.join(directory, output))),
  );
  // Pulumi puts this beside a plugin while it downloads it.
  const interrupted = await exists(`${directory}.partial`);
  if (!present.includes(true) || interrupted) return 'absent';
  if (present.includes(false)) return 'partial';
  const builtFrom = await readMarker(directory);
  if (builtFrom === undefined) return 'official';
  return builtFrom === (await hashOfSources(component, goModule)) ? 'ours' : 'outdated';
}

/** Whether a component has every program in this directory. */
export async function isComplete(component: Component, directory: string): Promise<boolean> {
  const present = await Promise.all(
    component.programs.map(({ output }) => isProgram(path.join(directory, output))),
  );
  return !present.includes(false);
}

/** Marks a directory as ours. */
export async function writeMarker(component: Component, directory: string, goModule: string): Promise<void> {
  const marker = { builtFrom: await hashOfSources(component, goModule) };
  await writeFile(path.join(directory, markerName), `${JSON.stringify(marker)}\n`);
}

/** `undefined` without a marker; the empty string, which no hash equals, for one that can't be read. */
async function readMarker(directory: string): Promise<string | undefined> {
  const file = path.join(directory, markerName);
  if (!(await exists(file))) return undefined;
  try {
    const { builtFrom } = JSON.parse(await readFile(file, 'utf8')) as { builtFrom?: unknown };
    return typeof builtFrom === 'string' ? builtFrom : '';
  } catch {
    return '';
  }
}

async function hashOfSources(component: Component, goModule: string): Promise<string> {
  const hash = createHash('sha256');
  for (const source of component.sources)
    for (const file of await filesBelow(path.join(goModule, source))) {
      hash.update(path.relative(goModule, file)).update('\0');
      hash.update(await readFile(file)).update('\0');
    }
  return hash.digest('hex');
}

/** A file itself, or every file in a directory, tests left out, in a fixed order. */
async function filesBelow(file: string): Promise<string[]> {
  if (!(await stat(file)).isDirectory()) return file.endsWith('_test.go') ? [] : [file];
  const names = (await readdir(file)).sort();
  return (await Promise.all(names.map(name => filesBelow(path.join(file, name))))).flat();
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    const { size, isFile } = await stat(file).then(found => ({ size: found.size, isFile: found.isFile() }));
    return isFile && size > 0;
  } catch {
    return false;
  }
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
