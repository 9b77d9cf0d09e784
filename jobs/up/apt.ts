import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stream } from './stream';

export interface Installing {
  readonly report: (line: string) => void;
  readonly signal: AbortSignal;
  /** Whether sudo can ask somebody for a password. @default whether this process has a terminal */
  readonly hasTerminal?: boolean;
}

/** Runs a command as root; its exit code and the end of what it printed. */
type AsRoot = (
  ...command: readonly string[]
) => Promise<{ readonly code: number | null; readonly tail: string }>;

/**
 * Installs Debian packages, with sudo unless root, and without the cluster on port 5432 that Debian's server package makes.
 * @returns why that failed; null when it didn't.
 */
export async function installWithApt(
  packages: readonly string[],
  installing: Installing,
): Promise<string | null> {
  const refused = await askSudo(installing);
  if (refused !== null) return refused;
  const run = asRoot(installing);
  // An installation that was interrupted has to be finished first; with none it does nothing.
  await run('dpkg', '--configure', '-a');
  const update = await run('apt-get', ...aptOptions, 'update');
  const install = await withoutMainCluster(installing, () =>
    run('apt-get', ...aptOptions, 'install', '--yes', '--no-install-recommends', ...packages),
  );
  if (install.code === 0) return null;
  const updating = update.code === 0 ? '' : `apt-get update failed:\n${update.tail}\n`;
  return `${updating}apt-get install ${packages.join(' ')} failed:\n${install.tail}`;
}

/** Waits for another apt; keeps configuration files that somebody edited. */
const aptOptions = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Options::=--force-confold'];

/** The lines of apt and dpkg that show that it goes on, or what is wrong. */
const isTelling = (line: string): boolean =>
  /^(Get:|Need to get|Fetched|Unpacking|Setting up|Waiting for|E:|W:)/.test(line);

function asRoot({ report, signal }: Installing): AsRoot {
  return async (...command) => {
    const lines: string[] = [];
    const words = ['env', 'DEBIAN_FRONTEND=noninteractive', ...command];
    const [name = '', ...args] = isRoot() ? words : ['sudo', ...words];
    const onLine = (line: string) => {
      lines.push(line);
      if (isTelling(line)) report(`  ${line}`);
    };
    const code = await stream(name, args, { signal, onLine });
    return { code, tail: lines.slice(-5).join('\n') };
  };
}

const isRoot = (): boolean => process.getuid?.() === 0;

/** Asks for the password once, before anything is done. Why there are no rights; null when there are. */
async function askSudo({
  report,
  signal,
  hasTerminal = thereIsATerminal(),
}: Installing): Promise<string | null> {
  if (isRoot()) return null;
  const lines: string[] = [];
  const run = (...options: string[]) => stream('sudo', options, { signal, onLine: line => lines.push(line) });
  if ((await run('--non-interactive', 'true')) === 0) return null;
  if (!hasTerminal) return 'sudo wants a password, and there is no terminal to ask for it';
  report('  sudo may ask for your password');
  if ((await run('true')) === 0) return null;
  return `sudo refused: ${lines.at(-1) ?? 'it did not say why'}`;
}

function thereIsATerminal(): boolean {
  try {
    fs.closeSync(fs.openSync('/dev/tty', 'r+'));
    return true;
  } catch {
    return false;
  }
}

const createCluster = '/etc/postgresql-common/createcluster.conf';
const ourSetting = '/etc/postgresql-common/createcluster.d/holdfast.conf';

/** Whether an installation of ours was killed: what is there of a package may not be set up, and the setting is still there. */
export const aptWasInterrupted = (): boolean => fs.existsSync(ourSetting);

/** Keeps Debian's package from making a cluster of its own, unless somebody decided about that already. */
async function withoutMainCluster<T>(installing: Installing, install: () => Promise<T>): Promise<T> {
  const decided =
    fs.existsSync(createCluster) &&
    /^\s*create_main_cluster\s*=/m.test(fs.readFileSync(createCluster, 'utf8'));
  if (decided) return install();
  const run = asRoot({ ...installing, signal: new AbortController().signal });
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-apt-'));
  try {
    const setting = path.join(scratch, 'holdfast.conf');
    fs.writeFileSync(setting, 'create_main_cluster = false\n');
    installing.report('  without the cluster that the package would make on port 5432');
    await run('install', '-D', '--mode=0644', setting, ourSetting);
    return await install();
  } finally {
    // Also after Ctrl-C: it would decide about what others install.
    fs.rmSync(scratch, { recursive: true, force: true });
    await run('rm', '--force', ourSetting);
    await run('rmdir', '--ignore-fail-on-non-empty', path.dirname(ourSetting), path.dirname(createCluster));
  }
}
