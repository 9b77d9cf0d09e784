import fs from 'node:fs';
import path from 'node:path';
import { findInstallation } from '../../engines/host/postgres/installation';
import { freePort } from './ports';
import { succeed, type RunOptions } from './processes';
import { tempDir } from './temp';

export interface ForeignCluster {
  /** Its socket is here, its data in `data` below it. */
  readonly directory: string;
  readonly dataDirectory: string;
  readonly port: number;
  /** What `sql` prints, run by psql as the superuser that is named like the owner. */
  psql(database: string, sql: string): Promise<string>;
  /** Another program of its installation, as its owner. */
  program(name: string, args: readonly string[]): Promise<string>;
  /** pg_ctl for its data directory. */
  control(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** A running cluster that was made without Holdfast, archiving nothing; as root it belongs to `postgres`. */
export async function startForeignCluster(
  settings: readonly string[] = ['archive_mode = on'],
): Promise<ForeignCluster> {
  const { bin } = await findInstallation(15);
  const directory = tempDir(0o755);
  const dataDirectory = path.join(directory, 'data');
  const port = await freePort();
  const options: RunOptions = { cwd: directory, ...(await ownerOf(directory)) };
  const program = (name: string, args: readonly string[], input?: string): Promise<string> =>
    succeed(path.join(bin, name), args, { ...options, ...(input === undefined ? {} : { input }) });
  await program('initdb', ['-D', dataDirectory, '-A', 'scram-sha-256', '--auth-local=peer', '--no-sync']);
  const lines = [
    `port = ${port}`,
    `unix_socket_directories = '${directory}'`,
    `listen_addresses = '127.0.0.1'`,
    'fsync = off',
    ...settings,
  ];
  fs.appendFileSync(path.join(dataDirectory, 'postgresql.conf'), `${lines.join('\n')}\n`);
  const control = (...args: string[]): Promise<string> =>
    program('pg_ctl', ['-D', dataDirectory, '-w', '-l', path.join(directory, 'log'), ...args]);
  await control('start');
  const connection = ['-h', directory, '-p', String(port)];
  return {
    directory,
    dataDirectory,
    port,
    psql: async (database, sql) => {
      const args = ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', ...connection, '-d', database];
      return (await program('psql', args, sql)).trim();
    },
    program: (name, args) => program(name, [...connection, ...args]),
    control,
    stop: async () => {
      await control('stop', '-m', 'immediate');
    },
  };
}

/** PostgreSQL refuses to run as root. */
async function ownerOf(directory: string): Promise<RunOptions> {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = [await succeed('id', ['-u', 'postgres']), await succeed('id', ['-g', 'postgres'])].map(
    Number,
  );
  fs.chownSync(directory, uid!, gid!);
  return { uid: uid!, gid: gid! };
}
