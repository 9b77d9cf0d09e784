import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { readIfThere } from '../files';
import type { ClusterPaths } from '../layout';
import { run, type ProcessError } from '../process';
import { runningPostmaster } from './data-directory';
import type { Installation } from './installation';

const startSeconds = 120;
/** Crash recovery can take its time; a stop waits for the last WAL to be archived. */
const stopSeconds = 300;

/** The paths that starting and stopping needs. */
export type ServerPaths = Pick<ClusterPaths, 'dataDirectory' | 'log' | 'cluster'>;

/**
 * The environment of everything that may leave a server behind: a server lives on with what it is given, so no secret of
 * ours may be in it, and nothing that would change what pgBackRest does when the server archives.
 */
export function serverEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'USER', 'LOGNAME'].flatMap(name =>
    env[name] === undefined ? [] : [[name, env[name]] as const],
  );
  return { ...Object.fromEntries(kept), LC_ALL: 'C', TZ: 'UTC' };
}

const startupLog = (paths: ServerPaths): string => path.join(paths.log, 'startup.log');

/**
 * Starts the server and waits until it accepts connections; nothing happens when it runs.
 * @returns whether it was started.
 * @throws HoldfastError `engine-failed` with what the server said when it doesn't come up.
 */
export async function startServer(installation: Installation, paths: ServerPaths): Promise<boolean> {
  if ((await runningPostmaster(paths.dataDirectory)) !== null) return false;
  await fs.rm(startupLog(paths), { force: true });
  await control(installation, paths, ['start', '-l', startupLog(paths)], startSeconds);
  return true;
}

/** Stops the server, ending its sessions; the last WAL is archived before. @returns whether it ran. */
export async function stopServer(
  installation: Installation,
  paths: ServerPaths,
  mode: 'fast' | 'immediate' = 'fast',
): Promise<boolean> {
  if ((await runningPostmaster(paths.dataDirectory)) === null) return false;
  await control(installation, paths, ['stop', '-m', mode], stopSeconds);
  return true;
}

/** Stops and starts the server with the options that it was started with. */
export async function restartServer(installation: Installation, paths: ServerPaths): Promise<void> {
  await fs.rm(startupLog(paths), { force: true });
  await control(
    installation,
    paths,
    ['restart', '-m', 'fast', '-l', startupLog(paths)],
    startSeconds + stopSeconds,
  );
}

async function control(
  installation: Installation,
  paths: ServerPaths,
  args: readonly string[],
  seconds: number,
): Promise<void> {
  const [action = ''] = args;
  try {
    await run(
      path.join(installation.bin, 'pg_ctl'),
      [...args, '-D', paths.dataDirectory, '-w', '-s', '-t', String(seconds)],
      { env: serverEnvironment(), cwd: '/', timeoutSeconds: seconds + 10 },
    );
  } catch (error) {
    const said = [await lastWords(paths), (error as ProcessError).stderr].filter(Boolean).join('\n');
    throw new HoldfastError(
      'engine-failed',
      `the server of cluster ${paths.cluster} did not ${action}${said === '' ? '' : `:\n${said.trim()}`}`,
      { hint: `Its log is in ${paths.log}; the data directory is ${paths.dataDirectory}.`, cause: error },
    );
  }
}

/** What a server that did not come up said last. */
async function lastWords(paths: ServerPaths): Promise<string> {
  const newest = await newestLog(paths.log);
  const files = newest === null ? [startupLog(paths)] : [startupLog(paths), newest];
  const texts = await Promise.all(files.map(file => readIfThere(file).catch(() => null)));
  const lines = texts.flatMap(text => (text ?? '').trimEnd().split('\n').slice(-12));
  return lines.filter(line => /FATAL|PANIC|ERROR|HINT|DETAIL/.test(line)).join('\n');
}

async function newestLog(directory: string): Promise<string | null> {
  const names = await fs.readdir(directory).catch(() => []);
  const files = names
    .filter(name => /^postgresql-.*\.log$/.test(name))
    .map(name => path.join(directory, name));
  const dated = await Promise.all(files.map(async file => ({ file, at: (await fs.stat(file)).mtimeMs })));
  return dated.sort((one, other) => other.at - one.at)[0]?.file ?? null;
}
