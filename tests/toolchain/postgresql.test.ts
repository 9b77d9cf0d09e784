import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { ensureToolchain } from '../../toolchain/install';
import { freePort } from '../support/ports';
import { succeed } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';
import { CommandProject, type Resources } from './command-project';

const superuser = { user: 'super', password: 'password of the superuser' };
let port: number;
let stop: () => Promise<unknown> = () => Promise.resolve();

beforeAll(async () => {
  await ensureToolchain({ projectDirectory: repositoryRoot, report: () => undefined });
  port = await freePort();
  stop = await startCluster(port);
});
afterAll(async () => {
  await stop();
  removeTempDirs();
});

/** A cluster that takes passwords only. PostgreSQL refuses to run as root. */
async function startCluster(onPort: number): Promise<() => Promise<unknown>> {
  const directory = tempDir();
  const data = path.join(directory, 'data');
  const passwordFile = path.join(directory, 'password');
  fs.writeFileSync(passwordFile, superuser.password);
  const identity: { uid?: number; gid?: number } = {};
  if (process.getuid?.() === 0) {
    identity.uid = Number(await succeed('id', ['-u', 'postgres']));
    identity.gid = Number(await succeed('id', ['-g', 'postgres']));
    fs.chownSync(directory, identity.uid, identity.gid);
  }
  const options = { ...identity, cwd: directory };
  await succeed(
    'initdb',
    ['-D', data, '-U', superuser.user, '--pwfile', passwordFile, '-A', 'scram-sha-256', '--no-sync'],
    options,
  );
  const settings = `-p ${onPort} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`;
  await succeed(
    'pg_ctl',
    ['-D', data, '-w', '-l', path.join(directory, 'log'), '-o', settings, 'start'],
    options,
  );
  return () => succeed('pg_ctl', ['-D', data, '-w', '-m', 'immediate', 'stop'], options);
}

async function query<T extends object>(sql: string, login = superuser, database = 'postgres'): Promise<T[]> {
  const client = new Client({ host: '127.0.0.1', port, database, ...login });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}

const resources: Resources = {
  owner: { type: 'postgresql.Role', args: { name: 'owner', login: false } },
  reader: {
    type: 'postgresql.Role',
    args: { name: 'reader', login: true, password: { $secret: 'password of the reader' } },
  },
  shop: { type: 'postgresql.Database', args: { name: 'shop', owner: 'owner' }, after: ['owner'] },
  goods: {
    type: 'postgresql.Schema',
    args: { name: 'goods', database: 'shop', owner: 'owner' },
    after: ['shop'],
  },
  usage: {
    type: 'postgresql.Grant',
    args: { database: 'shop', role: 'reader', schema: 'goods', objectType: 'schema', privileges: ['USAGE'] },
    after: ['goods', 'reader'],
  },
};

test('roles, databases, schemas and grants come, and go, with the official SDK', async () => {
  const project = new CommandProject({
    PGHOST: '127.0.0.1',
    PGPORT: String(port),
    PGUSER: superuser.user,
    PGPASSWORD: superuser.password,
    PGSSLMODE: 'disable',
  });
  await project.create();
  const made = await project.up(resources);
  expect(made.errors()).toBe('');
  expect(Object.values(made.steps).flat()).toContain('create');
  const reader = { user: 'reader', password: 'password of the reader' };
  const [privileges] = await query<{ owner: string; usage: boolean }>(
    `select pg_get_userbyid(nspowner) as owner, has_schema_privilege('goods', 'USAGE') as usage
     from pg_namespace where nspname = 'goods'`,
    reader,
    'shop',
  );
  expect(privileges).toEqual({ owner: 'owner', usage: true });
  expect(project.backendContents().includes('password of the reader')).toBe(false);

  const again = await project.up(resources);
  expect(new Set(Object.values(again.steps).flat())).toEqual(new Set(['same']));

  expect((await project.destroy()).errors()).toBe('');
  expect(await query("select 1 from pg_database where datname = 'shop'")).toEqual([]);
  expect(await query("select 1 from pg_roles where rolname in ('owner', 'reader')")).toEqual([]);
});

/** What the official SDK sends and reads, read from its own code. */
describe('the embedded schema', () => {
  const sdk = path.join(repositoryRoot, 'node_modules/@pulumi/postgresql');
  const schema = JSON.parse(
    fs.readFileSync(
      path.join(repositoryRoot, 'toolchain/cmd/pulumi-resource-postgresql/schema.json'),
      'utf8',
    ),
  ) as {
    resources: Record<string, { inputProperties: object; properties: object }>;
    functions: Record<string, unknown>;
  };
  const sources = fs
    .readdirSync(sdk)
    .filter(name => name.endsWith('.js'))
    .map(name => fs.readFileSync(path.join(sdk, name), 'utf8'));

  test('has the resources and functions of the SDK', () => {
    const tokens = sources.flatMap(source => [...source.matchAll(/__pulumiType = '(postgresql:[^']+)'/g)]);
    expect(Object.keys(schema.resources).sort()).toEqual(tokens.map(([, token]) => token).sort());
    const invokes = sources.flatMap(source => [...source.matchAll(/runtime\.invoke\("(postgresql:[^"]+)"/g)]);
    const called = invokes.map(([, token]) => token);
    expect(called.length).toBeGreaterThan(0);
    expect(Object.keys(schema.functions)).toEqual(expect.arrayContaining(called));
  });

  test('has the inputs that the SDK sends for each resource', () => {
    let compared = 0;
    for (const source of sources) {
      const token = /__pulumiType = '(postgresql:[^']+)'/.exec(source)?.[1];
      if (token === undefined) continue;
      const sent = [...source.matchAll(/resourceInputs\["(\w+)"\] = (?:args|\(?pulumi|args\?)/g)];
      const accepted = new Set(Object.keys(schema.resources[token]!.inputProperties));
      const names = sent.map(([, name]) => name!).filter(name => !accepted.has(name));
      expect([token, names]).toEqual([token, []]);
      compared += sent.length;
    }
    expect(compared).toBeGreaterThan(80);
  });
});
