import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { isAbsent } from '../files';
import { run } from '../process';

/** The programs of one major version of PostgreSQL on this machine. */
export interface Installation {
  /** Major version. */
  readonly version: number;
  /** Directory of `postgres`, `initdb`, `pg_ctl`, … */
  readonly bin: string;
  /** The whole version, `15.8`. */
  readonly release: string;
}

/** Where packages put a major version: Debian, Red Hat, Homebrew on Apple and Intel machines. */
const packagedDirectories = (version: number): string[] => [
  `/usr/lib/postgresql/${version}/bin`,
  `/usr/pgsql-${version}/bin`,
  `/opt/homebrew/opt/postgresql@${version}/bin`,
  `/usr/local/opt/postgresql@${version}/bin`,
];

/**
 * The programs of a major version: where packages put them, else by `pg_config`, else on the PATH.
 * @throws HoldfastError `configuration` when that version isn't installed.
 */
export async function findInstallation(
  version: number,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Installation> {
  const search = (env.PATH ?? '').split(path.delimiter).filter(directory => path.isAbsolute(directory));
  // One after the other: `pg_config` takes longer than all else, and isn't asked where packages have what is needed.
  for (const places of [() => packagedDirectories(version), () => configured(env), () => search])
    for (const directory of await places()) {
      const found = await releaseIn(directory);
      if (found !== null && Number(found.split('.')[0]) === version)
        return { version, bin: directory, release: found };
    }
  throw new HoldfastError('configuration', `PostgreSQL ${version} is not installed on this machine`, {
    hint: `Install its server (Debian: \`apt install postgresql-${version}\`, macOS: \`brew install postgresql@${version}\`), or name the version that is installed as \`source.version\`.`,
  });
}

async function configured(env: NodeJS.ProcessEnv): Promise<string[]> {
  try {
    const { stdout } = await run('pg_config', ['--bindir'], { env, timeoutSeconds: 10 });
    return [stdout.trim()];
  } catch {
    return [];
  }
}

/** The release of the server in a directory; null when there is none (or one that isn't released, such as `17devel`). */
async function releaseIn(directory: string): Promise<string | null> {
  const program = path.join(directory, 'postgres');
  try {
    await fs.access(program, fs.constants.X_OK);
    await fs.access(path.join(directory, 'initdb'), fs.constants.X_OK);
  } catch (error) {
    if (isAbsent(error) || (error as NodeJS.ErrnoException).code === 'EACCES') return null;
    throw error;
  }
  const { stdout } = await run(program, ['--version'], { timeoutSeconds: 10 });
  return /\(PostgreSQL\) (\d+(?:\.\d+)?)/.exec(stdout)?.[1] ?? null;
}
