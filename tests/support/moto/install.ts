import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run } from '../processes';

const requirement = 'moto[server]==5.2.5';

/** One place for all checkouts: it takes 300 MB. */
function placeOf(version: string): string {
  const cache = process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache');
  return path.join(cache, 'holdfast-tests', `moto-5.2.5-${version}`);
}

/**
 * A Python with moto, in a virtual environment that is made once, in the user's cache directory. Of two that make it at the
 * same time one wins; one that is killed leaves nothing that would be taken for whole.
 * @returns its `python`
 */
export async function installMoto(report: (line: string) => void = () => undefined): Promise<string> {
  const version = await pythonVersion();
  const place = placeOf(version);
  const python = path.join(place, 'bin', 'python');
  if (fs.existsSync(python)) return python;
  report(`installing ${requirement} into ${place}`);
  fs.mkdirSync(path.dirname(place), { recursive: true });
  const draft = fs.mkdtempSync(`${place}.draft-`);
  try {
    await attempt('python3', ['-m', 'venv', draft], 'Debian has it in the package python3-venv.');
    await attempt(
      path.join(draft, 'bin', 'python'),
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', requirement],
      'Can this machine reach PyPI?',
    );
    // A virtual environment finds itself by where its python is, so that it can be moved.
    fs.renameSync(draft, place);
  } catch (error) {
    if (!fs.existsSync(python)) throw error;
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
  return python;
}

async function pythonVersion(): Promise<string> {
  const probe = 'import sys; print("%d.%d" % sys.version_info[:2])';
  const ran = await run('python3', ['-c', probe]).catch(() => null);
  if (ran?.code === 0) return ran.stdout.trim();
  throw new Error(
    'the rds suite needs python3 (3.10 or later) to run moto, which stands for AWS: there is none',
  );
}

async function attempt(program: string, args: readonly string[], hint: string): Promise<void> {
  const { code, stderr, stdout } = await run(program, args);
  if (code === 0) return;
  throw new Error(
    `moto, which stands for AWS in the rds suite, can’t be installed: ${program} ${args.join(' ')} ended with ${code}. ${hint}\n${stderr}${stdout}`,
  );
}
