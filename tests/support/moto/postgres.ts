import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { findInstallation } from '../../../engines/host/postgres/installation';
import { freePort } from '../ports';
import { run, succeed } from '../processes';
import { tempDir } from '../temp';
import { installMoto } from './install';

/** A real PostgreSQL that stands for an instance of RDS: on localhost, with TLS of an authority of its own. */
export interface InstanceServer {
  readonly port: number;
  /** File with its certificate authority. */
  readonly authorities: string;
  readonly dataDirectory: string;
  /** Runs SQL as the superuser, past TLS. */
  query<Row extends object>(sql: string, database?: string): Promise<Row[]>;
  /** With nothing of its files in memory. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The user and the password of each master secret that moto makes. */
const master = { user: 'admin', password: 'P@55w0rd!' };

export async function startInstanceServer(version = 15): Promise<InstanceServer> {
  const directory = tempDir();
  const identity = owner();
  const { bin } = await findInstallation(version);
  const inside = (name: string): string => path.join(directory, name);
  await succeed(await installMoto(), [path.join(__dirname, 'certificate.py'), directory]);
  fs.chmodSync(inside('server.key'), 0o600);
  if (identity.uid !== undefined)
    for (const name of ['', 'server.key', 'server.pem'])
      fs.chownSync(inside(name), identity.uid, identity.gid);
  const dataDirectory = inside('data');
  const port = await freePort();
  const options = { cwd: directory, ...identity };
  await succeed(
    path.join(bin, 'initdb'),
    ['-D', dataDirectory, '-U', 'postgres', '-A', 'trust', '-N'],
    options,
  );
  fs.appendFileSync(
    path.join(dataDirectory, 'postgresql.conf'),
    [
      `port = ${port}`,
      `listen_addresses = 'localhost'`,
      `unix_socket_directories = '${directory}'`,
      'ssl = on',
      `ssl_cert_file = '${inside('server.pem')}'`,
      `ssl_key_file = '${inside('server.key')}'`,
      'fsync = off',
    ].join('\n'),
  );
  fs.writeFileSync(
    path.join(dataDirectory, 'pg_hba.conf'),
    'local all postgres trust\nhostssl all all all scram-sha-256\n',
  );
  const control = (...args: string[]) =>
    run(path.join(bin, 'pg_ctl'), ['-D', dataDirectory, '-w', '-l', inside('log'), ...args], options);
  const started = await control('start');
  if (started.code !== 0)
    throw new Error(`PostgreSQL did not start:\n${fs.readFileSync(inside('log'), 'utf8')}`);
  const query = async <Row extends object>(sql: string, database = 'postgres'): Promise<Row[]> => {
    const client = new Client({ host: directory, port, user: 'postgres', database, ssl: false });
    await client.connect();
    try {
      return (await client.query<Row>(sql)).rows;
    } finally {
      await client.end();
    }
  };
  await query(`create role ${master.user} superuser login password '${master.password}'`);
  return {
    port,
    authorities: inside('ca.pem'),
    dataDirectory,
    query,
    restart: async () => {
      await control('-m', 'fast', 'restart');
    },
    stop: async () => {
      await control('-m', 'immediate', 'stop');
    },
  };
}

/** PostgreSQL refuses root. */
function owner(): { readonly uid?: number; readonly gid: number } {
  if (process.getuid?.() !== 0) return { gid: process.getgid?.() ?? 0 };
  const line = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find(entry => entry.startsWith('postgres:'));
  const [, , uid, gid] = (line ?? '').split(':').map(Number);
  return { uid: uid!, gid: gid! };
}
