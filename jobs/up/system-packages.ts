import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import { stream } from './stream';

/** A program of the system that has to be there. */
export interface Need {
  /** For a person: "PostgreSQL 15 (server)". */
  readonly what: string;
  /** Package names. */
  readonly apt: string;
  /** Null where macOS needs none. */
  readonly brew: string | null;
  readonly isThere: () => boolean;
}

export const postgresServer = (version: number): Need => ({
  what: `PostgreSQL ${version} (server)`,
  apt: `postgresql-${version}`,
  brew: `postgresql@${version}`,
  isThere: () =>
    [
      `/usr/lib/postgresql/${version}/bin`,
      `/usr/pgsql-${version}/bin`,
      `/opt/homebrew/opt/postgresql@${version}/bin`,
      `/usr/local/opt/postgresql@${version}/bin`,
    ].some(directory => fs.existsSync(path.join(directory, 'postgres'))),
});

/** A package whose program lies on the PATH, or where daemons lie. */
export const program = (
  name: string,
  { apt = name, brew = name }: { readonly apt?: string; readonly brew?: string | null } = {},
): Need => ({
  what: name,
  apt,
  brew,
  isThere: () =>
    [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'].some(
      directory => fs.existsSync(path.join(directory, name)),
    ),
});

export const pgBackRest = program('pgbackrest');

/** Runs the schedules where systemd doesn't. macOS has it. */
export const cron: Need = {
  ...program('cron', { brew: null }),
  isThere: () =>
    os.platform() === 'darwin' ||
    fs.existsSync('/run/systemd/system') ||
    program('cron').isThere() ||
    program('crond').isThere(),
};

export interface Installing {
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
}

/**
 * Installs what isn't there: with apt-get (and sudo, unless root) on Debian and its kin, with Homebrew on macOS. A cluster of
 * the distribution's own on port 5432 is not made.
 * @throws HoldfastError `configuration` naming what to install, where it can't be done from here.
 */
export async function ensureSystemPackages(needs: readonly Need[], installing: Installing): Promise<void> {
  const missing = needs.filter(need => !need.isThere());
  if (missing.length === 0) return;
  const names = missing.map(({ what }) => what).join(', ');
  installing.report(`installing ${names}`);
  if (os.platform() === 'darwin') await installWithHomebrew(missing, installing);
  else if (program('apt-get').isThere()) await installWithApt(missing, installing);
  else throw byHand(missing, 'this system has no apt-get and no Homebrew');
  const still = missing.filter(need => !need.isThere());
  if (still.length > 0)
    throw byHand(still, 'the packages were installed, but lie where they are not looked for');
}

function byHand(missing: readonly Need[], reason: string): HoldfastError {
  return new HoldfastError(
    'configuration',
    `${missing.map(({ what }) => what).join(', ')} must be installed: ${reason}`,
    {
      hint: 'install them with this system’s package manager, and run this again',
    },
  );
}

async function installWithHomebrew(missing: readonly Need[], installing: Installing): Promise<void> {
  const formulas = missing.flatMap(({ brew }) => brew ?? []);
  const code = await stream('brew', ['install', ...formulas], {
    ...installing,
    onLine: line => installing.report(`  brew: ${line}`),
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw byHand(missing, 'there is no Homebrew');
    throw error;
  });
  if (code !== 0) throw byHand(missing, `brew install ${formulas.join(' ')} ended with ${code}`);
}

async function installWithApt(missing: readonly Need[], installing: Installing): Promise<void> {
  const root = process.getuid?.() === 0;
  if (!root && !program('sudo').isThere()) throw byHand(missing, 'not root, and there is no sudo');
  const packages = missing.map(({ apt }) => apt);
  const run = async (command: string, ...args: string[]) => {
    const lines: string[] = [];
    const words = ['env', 'DEBIAN_FRONTEND=noninteractive', command, ...args];
    const [name, ...rest] = root ? words : ['sudo', ...words];
    const onLine = (line: string) => {
      lines.push(line);
      if (/^(Setting up|Unpacking|Fetched|E:|W:)/.test(line)) installing.report(`  ${line}`);
    };
    const code = await stream(name ?? command, rest, { ...installing, onLine });
    return { code, tail: lines.slice(-15).join('\n') };
  };
  // An installation that was interrupted has to be finished first; with none it does nothing.
  await run('dpkg', '--configure', '-a');
  await run('apt-get', ...aptOptions, 'update');
  const { code, tail } = await withoutMainCluster(run, () =>
    run('apt-get', ...aptOptions, 'install', '--yes', '--no-install-recommends', ...packages),
  );
  if (code !== 0) throw byHand(missing, `apt-get install ${packages.join(' ')} failed:\n${tail}`);
}

/** Waits for another apt; keeps configuration files that somebody edited. */
const aptOptions = ['-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Options::=--force-confold'];

const createCluster = '/etc/postgresql-common/createcluster.conf';
const ourSetting = '/etc/postgresql-common/createcluster.d/holdfast.conf';

/** Keeps Debian's package from making a cluster of its own, unless somebody decided about that already. */
async function withoutMainCluster<T>(
  run: (command: string, ...args: string[]) => Promise<unknown>,
  install: () => Promise<T>,
): Promise<T> {
  const decided =
    fs.existsSync(createCluster) &&
    /^\s*create_main_cluster\s*=/m.test(fs.readFileSync(createCluster, 'utf8'));
  if (decided) return install();
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-apt-'));
  try {
    const setting = path.join(scratch, 'holdfast.conf');
    fs.writeFileSync(setting, 'create_main_cluster = false\n');
    await run('install', '-D', '--mode=0644', setting, ourSetting);
    return await install();
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
    await run('rm', '--force', ourSetting);
    await run('rmdir', '--ignore-fail-on-non-empty', path.dirname(ourSetting));
  }
}
