import { createHash } from 'node:crypto';
import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../../core/errors';
import type { HostSpecification } from '../../core/specification';

/** Holdfast's directory: `HOLDFAST_HOME`, else `/var/lib/holdfast` as root, else in the user's data directory. */
export function home(env: NodeJS.ProcessEnv = process.env): string {
  if (env.HOLDFAST_HOME !== undefined && env.HOLDFAST_HOME !== '') return path.resolve(env.HOLDFAST_HOME);
  if (process.getuid?.() === 0) return '/var/lib/holdfast';
  const data = env.XDG_DATA_HOME;
  const base =
    data !== undefined && path.isAbsolute(data) ? data : path.join(os.homedir(), '.local', 'share');
  return path.join(base, 'holdfast');
}

/** The installed program, which timers start. */
export const programFile = (homeDirectory: string): string =>
  path.join(homeDirectory, 'program', 'holdfast.cjs');

/** Where everything of one cluster is on its machine (docs/architecture.md). */
export interface ClusterPaths {
  readonly cluster: string;
  /** `<home>/clusters/<cluster>`, 0700 and the owner's. */
  readonly root: string;
  readonly specification: string;
  readonly record: string;
  readonly credentials: string;
  readonly configuration: string;
  readonly dataDirectory: string;
  /** Of the Unix socket; a short path elsewhere when `<root>/run` is too long for one. */
  readonly socketDirectory: string;
  readonly repository: string;
  readonly clones: string;
  readonly aside: string;
  readonly spool: string;
  readonly log: string;
  readonly lock: string;
  readonly audit: string;
  readonly due: string;
}

/** The paths of a cluster that lies where Holdfast puts it; see `pathsOf` for one whose specification says otherwise. */
export function clusterPaths(homeDirectory: string, cluster: string): ClusterPaths {
  const root = path.join(homeDirectory, 'clusters', cluster);
  const inside = (name: string): string => path.join(root, name);
  return {
    cluster,
    root,
    specification: inside('specification.json'),
    record: inside('record.json'),
    credentials: inside('credentials.json'),
    configuration: inside('pgbackrest.conf'),
    dataDirectory: inside('data'),
    socketDirectory: socketDirectory(inside('run')),
    repository: path.join(homeDirectory, 'repositories', cluster),
    clones: inside('clones'),
    aside: inside('aside'),
    spool: inside('spool'),
    log: inside('log'),
    lock: inside('lock'),
    audit: inside('audit.jsonl'),
    due: inside('due.json'),
  };
}

/** The paths of a cluster, data and socket where its specification has them. */
export function pathsOf(
  homeDirectory: string,
  specification: Pick<HostSpecification, 'cluster' | 'settings'>,
): ClusterPaths {
  const paths = clusterPaths(homeDirectory, specification.cluster);
  const { source } = specification.settings;
  return {
    ...paths,
    dataDirectory:
      source.dataDirectory === undefined ? paths.dataDirectory : path.normalize(source.dataDirectory),
    socketDirectory: source.mode === 'existing' ? source.socketDirectory : paths.socketDirectory,
  };
}

/** `sun_path` without its final zero byte: unix(7), and macOS's <sys/un.h>. */
const longestSocketPath = () => (process.platform === 'darwin' ? 103 : 107);
const longestSocketName = '/.s.PGSQL.65535'.length;

/**
 * The directory to use for a Unix socket that shall be private: `wanted`, or a short one under /tmp, named by the hash of
 * `wanted`, when it is too long for a socket, or has characters that a list of socket directories or hosts can't have.
 * PostgreSQL touches its socket's lock file, so that cleaners of /tmp leave it alone.
 */
export function socketDirectory(wanted: string): string {
  const fits = Buffer.byteLength(wanted) + longestSocketName <= longestSocketPath();
  if (fits && !/[,"']/.test(wanted)) return wanted;
  const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  return path.join('/tmp', `holdfast-socket-${hash}`);
}

/**
 * Makes a private directory for a socket, 0700.
 * @throws HoldfastError `refused` when somebody else made it: under /tmp anybody could.
 */
export async function ensureSocketDirectory(directory: string): Promise<void> {
  await fs.mkdir(directory, { recursive: true, mode: 0o700 });
  const found = await fs.lstat(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.())
    throw new HoldfastError('refused', `${directory} belongs to somebody else, so no socket is put there`, {
      hint: 'Find out who made it, remove it, and try again.',
    });
  await fs.chmod(directory, 0o700);
}
