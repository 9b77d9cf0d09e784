import fs from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import type { HostSpecification } from '../../core/specification';
import { configurationFiles } from '../../engines/host/provision/configure';
import { apply, type ApplyOutcome } from '../../engines/host/provision/apply';
import { inspect, readApplied } from '../../engines/host/provision/inspect';
import { start, stop } from '../../engines/host/provision/power';
import { runningPostmaster } from '../../engines/host/postgres/data-directory';
import { readRecord } from '../../engines/host/record';
import { withServer } from '../../engines/host/session';
import os from 'node:os';
import { createRequire } from 'node:module';
import { createCluster, dropHome, specify, type TestCluster } from '../support/host-cluster';
import { succeed } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

const own = os.userInfo().username;
const databases = { shop: { applicationRoles: ['shop_app'], readOnlyRoles: ['shop_reader'] } };

const { bundle } = createRequire(__filename)('../../scripts/bundle.cjs') as {
  bundle: (kind: 'machine', folder: string) => { file: string };
};

let cluster: TestCluster;
const reports: string[] = [];
const reapply = (specification: HostSpecification, revision = 1): Promise<ApplyOutcome> =>
  apply(
    { specification, revision },
    { home: cluster.home, program: null, report: step => reports.push(step) },
  );
const declared = (source: Record<string, unknown>): HostSpecification =>
  specify({ cluster: { source: { mode: 'managed', ...source }, databases } });
const query = async <Row extends object>(sql: string): Promise<Row[]> => {
  const postmaster = (await runningPostmaster(cluster.paths.dataDirectory))!;
  const server = { socketDirectory: cluster.paths.socketDirectory, port: postmaster.port, superuser: own };
  return withServer(server, 'postgres', session => session.query<Row>(sql));
};
const setting = async (name: string): Promise<string | undefined> =>
  (await query<{ value: string }>(`select current_setting('${name}') as value`))[0]?.value;
const postmasterPid = async (): Promise<number | undefined> =>
  (await runningPostmaster(cluster.paths.dataDirectory))?.pid;

beforeAll(async () => {
  cluster = await createCluster({ cluster: { databases } });
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

describe('a managed cluster that was applied', () => {
  it('has the program with its code cache, which a later apply brings back', async () => {
    const installed = path.join(cluster.home, 'program/holdfast.cjs');
    const install = async () => {
      const { specification } = cluster;
      const program = bundle('machine', tempDir()).file;
      await apply({ specification, revision: 1 }, { home: cluster.home, program, report: () => undefined });
      expect((await fs.readdir(path.dirname(installed))).sort()).toEqual([
        'holdfast.cjs',
        'holdfast.cjs.cache',
      ]);
    };
    await install();
    expect(await succeed(process.execPath, [installed, '--version'])).toMatch(/^\d+\.\d+\.\d+\n$/);
    await fs.rm(`${installed}.cache`);
    await install();
  });

  it('is initialised with checksums, SCRAM, UTF-8 and archiving, and records what it is', async () => {
    expect(cluster.outcome.changed).toEqual(['initialised', 'started', 'provider role']);
    const wanted = {
      data_checksums: 'on',
      password_encryption: 'scram-sha-256',
      server_encoding: 'UTF8',
      archive_mode: 'on',
      wal_level: 'replica',
      archive_timeout: '150s',
      max_prepared_transactions: '0',
      listen_addresses: '127.0.0.1',
    };
    for (const [name, value] of Object.entries(wanted)) {
      const found = await setting(name);
      expect(`${name}=${found === '2min30s' || found === '150s' ? '150s' : found}`).toBe(`${name}=${value}`);
    }
    const record = await readRecord(cluster.paths);
    expect(record).toMatchObject({
      phase: 'provisioning',
      environment: 'production',
      mode: 'managed',
      systemIdentifier: cluster.outcome.applied.systemIdentifier,
      port: cluster.outcome.applied.endpoint.port,
      revision: 1,
      pgVersion: 15,
    });
    const [control] = await query<{ id: string }>(
      'select system_identifier::text as id from pg_control_system()',
    );
    expect(control?.id).toBe(record?.systemIdentifier);
  });

  it('lets nobody else on the machine read what it keeps', async () => {
    const { paths } = cluster;
    for (const directory of [paths.root, paths.dataDirectory, paths.socketDirectory, paths.repository])
      expect(`${directory} ${((await fs.stat(directory)).mode & 0o777).toString(8)}`).toBe(
        `${directory} 700`,
      );
    for (const file of [paths.record, paths.specification, paths.credentials, paths.configuration])
      expect(`${file} ${((await fs.stat(file)).mode & 0o777).toString(8)}`).toBe(`${file} 600`);
  });

  it('lets the provider log in over TCP with its password, as a role that is no superuser', async () => {
    const { endpoint, provider } = cluster.outcome.applied;
    const client = new Client({
      ...endpoint,
      user: provider.username,
      password: provider.password,
      database: 'postgres',
    });
    await client.connect();
    try {
      const { rows } = await client.query<{
        rolsuper: boolean;
        rolcreaterole: boolean;
        rolcreatedb: boolean;
      }>('select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user');
      expect(rows).toEqual([{ rolsuper: false, rolcreaterole: true, rolcreatedb: true }]);
      // A role that is made with the verifier logs in with the password.
      const { verifier, password } = cluster.outcome.applied.roles.shop_app!;
      await client.query(`create role shop_app login password '${verifier}'`);
      const application = new Client({ ...endpoint, user: 'shop_app', password, database: 'postgres' });
      await application.connect();
      await application.end();
      await client.query('drop role shop_app');
    } finally {
      await client.end();
    }
  });

  it.each([
    ['a wrong password', () => cluster.outcome.applied.provider.username, 'wrong'],
    ['the bootstrap superuser', () => own, 'whatever'],
  ])('refuses %s over TCP', async (_, user, password) => {
    const { endpoint } = cluster.outcome.applied;
    const client = new Client({ ...endpoint, user: user(), password, database: 'postgres' });
    client.on('error', () => undefined);
    await expect(client.connect()).rejects.toThrow(/password authentication failed|rejects connection/);
  });

  it('keeps its passwords out of logs, process lists, record and specification', async () => {
    const { provider, roles } = cluster.outcome.applied;
    const secrets = [provider.password, ...Object.values(roles).map(role => role.password)];
    expect(secrets).toHaveLength(3);
    const processes = await succeed('ps', ['axeww', '-o', 'args']);
    const logs = await fs.readdir(cluster.paths.log);
    const files = [
      ...logs.map(name => path.join(cluster.paths.log, name)),
      cluster.paths.record,
      cluster.paths.specification,
      cluster.paths.configuration,
    ];
    expect(logs.length).toBeGreaterThan(1);
    for (const text of [processes, ...(await Promise.all(files.map(file => fs.readFile(file, 'utf8'))))])
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  });

  it('gives the server nothing of our environment that could be secret', async () => {
    const environ = await fs.readFile(`/proc/${await postmasterPid()}/environ`, 'utf8');
    const names = environ.split('\0').map(entry => entry.split('=')[0]);
    expect(names.filter(name => /PULUMI|PASS|HOLDFAST|PGBACKREST/.test(name ?? ''))).toEqual([]);
  });
});

describe('applying again', () => {
  it('changes nothing and answers the same', async () => {
    reports.length = 0;
    const pid = await postmasterPid();
    const again = await reapply(cluster.specification);
    expect(again).toEqual({ applied: cluster.outcome.applied, changed: [], restartPending: [] });
    expect(reports).toEqual([]);
    expect(await postmasterPid()).toBe(pid);
  });

  it('applies a changed setting by a reload', async () => {
    const pid = await postmasterPid();
    const specification = declared({ settings: { work_mem: '7MB' } });
    expect(await inspect(specification, { home: cluster.home })).toMatchObject({
      needsRestart: [],
      drift: [],
    });
    const { changed, restartPending } = await reapply(specification, 2);
    expect([changed, restartPending]).toEqual([['settings.work_mem'], []]);
    expect(await setting('work_mem')).toBe('7MB');
    expect(await postmasterPid()).toBe(pid);
    expect((await readApplied(cluster.paths))?.settings).toEqual(specification.settings);
  });

  it('has the server read what an apply wrote that was killed before it told the server', async () => {
    const file = path.join(cluster.paths.dataDirectory, 'postgresql.conf');
    await fs.writeFile(file, (await fs.readFile(file, 'utf8')).replace('7MB', '8MB'));
    const { changed } = await reapply(declared({ settings: { work_mem: '8MB' } }));
    expect([changed, await setting('work_mem')]).toEqual([[], '8MB']);
  });

  it('says which settings wait for a restart that is not allowed, before and after', async () => {
    const pid = await postmasterPid();
    const specification = declared({ settings: { max_connections: 55 } });
    const before = await inspect(specification, { home: cluster.home });
    expect(before).toMatchObject({ needsRestart: ['max_connections'], restartAllowed: false, drift: [] });
    expect(await reapply(specification)).toMatchObject({ restartPending: ['max_connections'] });
    expect(await postmasterPid()).toBe(pid);
    expect(await setting('max_connections')).toBe('100');
    const after = await inspect(specification, { home: cluster.home });
    expect(after.needsRestart).toEqual(['max_connections']);
    expect(await reapply(specification)).toMatchObject({ changed: [], restartPending: ['max_connections'] });
  });

  it('restarts for them once that is allowed', async () => {
    const specification = declared({ allowRestart: true, settings: { max_connections: 55 } });
    const { changed, restartPending } = await reapply(specification);
    expect([changed, restartPending]).toEqual([['restarted'], []]);
    expect(await setting('max_connections')).toBe('55');
    expect(await inspect(specification, { home: cluster.home })).toMatchObject({
      needsRestart: [],
      drift: [],
    });
  });

  it('keeps the port until a restart is allowed', async () => {
    const old = cluster.outcome.applied.endpoint.port;
    const port = old + 100;
    const waits = await reapply(declared({ port, settings: { max_connections: 55 } }));
    expect([waits.restartPending, waits.applied.endpoint.port]).toEqual([['port'], old]);
    const specification = declared({ port, allowRestart: true, settings: { max_connections: 55 } });
    expect((await inspect(specification, { home: cluster.home })).needsRestart).toEqual(['port']);
    const moved = await reapply(specification);
    expect([moved.restartPending, moved.applied.endpoint.port]).toEqual([[], port]);
    expect(moved.changed).toEqual(['settings.port', 'restarted', 'pgbackrest.conf']);
    const back = await reapply(declared({ port: old, allowRestart: true }));
    expect(back.applied.endpoint.port).toBe(old);
  });

  it.each([
    ['a value that is none', { work_mem: 'much' }, /invalid value for parameter "work_mem"/],
    ['a name that is none', { wrok_mem: '4MB' }, /unrecognized configuration parameter "wrok_mem"/],
  ])('refuses %s, and leaves server and files alone', async (_, settings, message) => {
    const file = configurationFiles(cluster.paths.dataDirectory).settings;
    const before = await fs.readFile(file, 'utf8');
    await expect(reapply(declared({ settings }))).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(message) as string,
    });
    expect(await fs.readFile(file, 'utf8')).toBe(before);
    expect(await fs.readdir(cluster.paths.root)).not.toContain('.postgresql.conf.candidate');
  });

  it('goes back to the old settings when the server does not start with the new ones', async () => {
    await reapply(declared({}));
    const greedy = declared({ allowRestart: true, settings: { shared_buffers: '7TB' } });
    await expect(reapply(greedy)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/did not restart/) as string,
    });
    expect(await setting('shared_buffers')).toBe('128MB');
    await reapply(declared({}));
  });

  it('makes credentials anew when they were deleted, and the server takes them', async () => {
    await fs.rm(cluster.paths.credentials);
    const { applied, changed } = await reapply(declared({}));
    expect(changed).toEqual(['provider role']);
    expect(applied.provider.password).not.toBe(cluster.outcome.applied.provider.password);
  });
});

describe('start and stop', () => {
  it('do nothing the second time', async () => {
    expect(await stop(cluster.specification, cluster.home)).toBe(true);
    expect(await stop(cluster.specification, cluster.home)).toBe(false);
    expect(await start(cluster.specification, cluster.home)).toBe(true);
    expect(await start(cluster.specification, cluster.home)).toBe(false);
  });
});

describe('a home', () => {
  it('with blanks, quotes, a comma and a long path works', async () => {
    const home = path.join(tempDir(0o700), `it's a long  path of 100 %, here`, 'x'.repeat(80));
    try {
      const long = await createCluster({ home });
      expect(long.paths.socketDirectory).toMatch(/^\/tmp\/holdfast-socket-/);
      const again = await apply(
        { specification: long.specification, revision: 1 },
        { home, program: null, report: () => undefined },
      );
      expect(again.changed).toEqual([]);
      expect((await inspect(long.specification, { home })).drift).toEqual([]);
    } finally {
      await dropHome(home);
    }
  });

  it.each(['"', '$', '`', '\\'])(
    'with %s in its path is refused before anything is made',
    async character => {
      const home = path.join(tempDir(0o700), `a${character}b`);
      await expect(createCluster({ home })).rejects.toMatchObject({ code: 'configuration' });
      await expect(fs.access(home)).rejects.toMatchObject({ code: 'ENOENT' });
    },
  );
});
