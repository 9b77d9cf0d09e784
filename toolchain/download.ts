import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Component } from './components';
import { isComplete } from './state';
import { errorCodeOf, runSubprocess } from './subprocess';

/** Where and how a download runs. */
export interface Download {
  /** The `pulumi` that downloads: npm's wrapper for the CLI itself, the CLI for plugins. */
  readonly pulumi: string;
  /** A directory that stands in for `$PULUMI_HOME`, so that nothing half-done ever lies in the real one. */
  readonly staging: string;
  /** Given up after this long without output and without growth of the staging directory. */
  readonly stallMilliseconds: number;
  readonly signal?: AbortSignal | undefined;
}

/** Downloads a component the way Pulumi itself does. @returns where it lies now, or why it failed. */
export async function download(
  component: Component,
  options: Download,
): Promise<{ readonly directory: string } | { readonly failure: string }> {
  const directory = path.join(options.staging, component.directory);
  const ended = await runSubprocess({
    program: options.pulumi,
    args: component.downloadArguments,
    // Pulumi's installer unpacks in the temporary directory: inside staging, it is watched and removed with it.
    env: {
      ...process.env,
      PULUMI_HOME: options.staging,
      TMPDIR: options.staging,
      PULUMI_SKIP_UPDATE_CHECK: 'true',
    },
    watch: stallWatch(options.staging, options.stallMilliseconds),
    watchEveryMilliseconds: Math.min(1000, options.stallMilliseconds / 4),
    signal: options.signal,
  }).catch((error: unknown) => {
    const code = errorCodeOf(error);
    if (code !== 'ENOENT' && code !== 'EACCES') throw error;
    return { succeeded: false, stopped: undefined, tail: `${options.pulumi} can't be run: ${code}` };
  });
  if (ended.stopped !== undefined) return { failure: ended.stopped };
  if (!ended.succeeded) return { failure: reasonIn(ended.tail) };
  if (!(await isComplete(component, directory))) return { failure: 'what came lacks a program' };
  return { directory };
}

/** Asked again and again with the output so far, says when nothing has moved for too long. */
function stallWatch(
  directory: string,
  stallMilliseconds: number,
): (printed: number) => Promise<string | undefined> {
  let lastSeen = -1;
  let lastMoved = performance.now();
  return async printed => {
    const seen = printed + (await sizeOf(directory));
    if (seen !== lastSeen) {
      lastSeen = seen;
      lastMoved = performance.now();
    }
    if (performance.now() - lastMoved < stallMilliseconds) return undefined;
    return `no progress for ${Math.round(stallMilliseconds / 1000)} s`;
  };
}

/** Bytes of all files below a directory; what vanishes meanwhile counts as nothing. */
async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map(entry => {
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) return sizeOf(file);
      return stat(file).then(
        found => found.size,
        () => 0,
      );
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Pulumi ends with how often it tried; what stood in the way, it says before. */
function reasonIn(text: string): string {
  const lines = text.trim().split('\n');
  return lines.findLast(line => line.includes('Error downloading')) ?? lines.at(-1) ?? '';
}
