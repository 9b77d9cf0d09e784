import fs from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { HoldfastError } from '../../core/errors';

/** The Pulumi project: what `holdfast up` applies, with the sources that it is built from. */
export interface Checkout {
  readonly directory: string;
  /** The name of the Pulumi project. */
  readonly project: string;
}

/**
 * The checkout that this program was made in.
 * @throws HoldfastError `configuration` when it was installed on a cluster's machine, where there is none.
 */
export function findCheckout(from: string = __dirname): Checkout {
  for (let directory = from; ; directory = path.dirname(directory)) {
    const file = path.join(directory, 'Pulumi.yaml');
    if (fs.existsSync(file) && fs.existsSync(path.join(directory, 'toolchain'))) {
      const { name } = parse(fs.readFileSync(file, 'utf8')) as { name: string };
      return { directory, project: name };
    }
    if (directory === path.dirname(directory))
      throw new HoldfastError('configuration', 'there is no Pulumi project beside this program', {
        hint: 'Run it in a checkout of Holdfast: npm start, or npx holdfast up.',
      });
  }
}

/**
 * The major versions of PostgreSQL that a stack file wants on this machine. A cluster elsewhere, or one that exists, has its
 * server already. What is wrong in the file is for Pulumi's program to say.
 */
export function wantedVersions({ directory }: Checkout, stack: string): number[] {
  const file = path.join(directory, `Pulumi.${stack}.yaml`);
  const { config } = parse(fs.readFileSync(file, 'utf8')) as { config?: Record<string, unknown> };
  const clusters = Object.values((config?.['holdfast:clusters'] ?? {}) as Record<string, unknown>);
  return clusters.flatMap(cluster => {
    const { connection, source } = (cluster ?? {}) as {
      connection?: { type?: string };
      source?: { mode?: string; version?: number };
    };
    if (connection?.type === 'ssh' || source?.mode === 'existing') return [];
    return [source?.version ?? defaultVersion];
  });
}

/** That of core/settings. */
const defaultVersion = 15;
