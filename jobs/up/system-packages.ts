import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import { aptWasInterrupted, installWithApt, type Installing } from './apt';
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

/**
 * Installs what isn't there: with apt-get (and sudo, unless root) on Debian and its kin, with Homebrew on macOS. A cluster of
 * the distribution's own on port 5432 is not made.
 * @throws HoldfastError `configuration` naming what to install, where it can't be done from here.
 */
export async function ensureSystemPackages(needs: readonly Need[], installing: Installing): Promise<void> {
  const missing = needs.filter(need => !need.isThere());
  const interrupted = aptWasInterrupted();
  if (missing.length === 0 && !interrupted) return;
  // Files of a package are there long before it is set up.
  const failure = await install(interrupted ? needs : missing, installing);
  const still = failure === null ? needs.filter(need => !need.isThere()) : missing;
  if (still.length === 0) {
    if (failure !== null) installing.report(`  an interrupted installation is not finished: ${failure}`);
    return;
  }
  throw new HoldfastError(
    'configuration',
    `${namesOf(still)} must be installed: ${failure ?? 'the packages were installed, but lie where they are not looked for'}`,
    { hint: `${commandFor(still)}; then run this again.` },
  );
}

const namesOf = (needs: readonly Need[]): string => needs.map(({ what }) => what).join(', ');

/** What a person does instead. */
function commandFor(missing: readonly Need[]): string {
  if (os.platform() === 'darwin') return `Install Homebrew, or these: ${formulasOf(missing).join(' ')}`;
  if (program('apt-get').isThere())
    return `As root: apt-get install --no-install-recommends ${packagesOf(missing).join(' ')}`;
  return 'Install them with this system’s package manager';
}

const packagesOf = (needs: readonly Need[]): string[] => needs.map(({ apt }) => apt);
const formulasOf = (needs: readonly Need[]): string[] => needs.flatMap(({ brew }) => brew ?? []);

/** Why nothing was installed; null when it was. */
async function install(missing: readonly Need[], installing: Installing): Promise<string | null> {
  const report = () => installing.report(`installing ${namesOf(missing)}`);
  if (os.platform() === 'darwin') {
    report();
    return installWithHomebrew(formulasOf(missing), installing);
  }
  if (!program('apt-get').isThere()) return 'this system has no apt-get and no Homebrew';
  if (process.getuid?.() !== 0 && !program('sudo').isThere()) return 'you are not root, and there is no sudo';
  report();
  return installWithApt(packagesOf(missing), installing);
}

async function installWithHomebrew(formulas: string[], installing: Installing): Promise<string | null> {
  const code = await stream('brew', ['install', ...formulas], {
    ...installing,
    onLine: line => installing.report(`  brew: ${line}`),
  }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'there is no Homebrew';
    throw error;
  });
  if (typeof code === 'string') return code;
  return code === 0 ? null : `brew install ${formulas.join(' ')} ended with ${code ?? 'a signal'}`;
}
