import fs from 'node:fs';
import path from 'node:path';
import { clonePaths } from '../../../engines/host/clone/catalog';
import type { HostContext } from '../../../engines/host/context';
import { tempDir } from '../../support/temp';
import { hostContext } from './facts';

/*
 * A clone as its parts meet it, with programs of PostgreSQL that say what no real ones can be made to say.
 */

export const id = 'c-20260102-030405-9f3a';

/** A cluster with the directory of one clone. */
export function withClone(context = hostContext()) {
  const paths = clonePaths(context, id);
  fs.mkdirSync(paths.root, { recursive: true });
  return { context, paths };
}

/** Programs of PostgreSQL that are these shell scripts. */
export function withPrograms(
  programs: Readonly<Record<string, string>>,
  context = hostContext(),
): HostContext {
  const bin = tempDir();
  for (const [name, script] of Object.entries(programs))
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...context, installation: () => Promise.resolve({ version: 15, bin, release: '15.8' }) };
}

export const quiet = () => ({ report: () => undefined, signal: new AbortController().signal });
