import net from 'node:net';
import {
  DeleteParameterCommand,
  GetParametersByPathCommand,
  PutParameterCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { Client } from 'pg';
import { parseStack } from '../../core/settings/parse';
import { isRds, ofEngine, type RdsSpecification } from '../../core/specification';
import { applyInstance, beginCluster, inspectInstance, keepDatabases } from '../../engines/rds/apply';
import { readRecord } from '../../engines/rds/record';
import { hostJobs, type HostJobName } from '../../jobs/host';
import { patient } from '../support/engine';
import { region, startAws, type TestAws } from '../support/moto/moto';
import { startInstanceServer, type InstanceServer } from '../support/moto/postgres';
import { freePort } from '../support/ports';
import { removeTempDirs } from '../support/temp';
import { contextOf, createInstance, managedSource } from './support';

/*
 * What is declared inside an instance, as far as Pulumi's provider doesn't make it, with a master user that is no superuser, as
 * RDS's isn't. What the provider would do is done here in SQL, as its role. Not proven: what RDS itself refuses.
 */

let aws: TestAws;
let server: InstanceServer;
let ssm: SSMClient;
beforeAll(async () => {
  [aws, server] = await Promise.all([startAws(), startInstanceServer()]);
  ssm = new SSMClient({ region });
  await server.query('alter role admin nosuperuser createdb createrole');
  // It owns the database that RDS begins with.
  await server.query('alter database postgres owner to admin');
  const context = contextOf();
  await beginCluster(specify());
  await createInstance(context, { Port: server.port });
});
afterAll(async () => {
  await Promise.all([aws.stop(), server.stop()]);
  removeTempDirs();
});

const shop = {
  schemas: ['app'],
  applicationRoles: ['shop_app'],
  readOnlyRoles: ['shop_report'],
  extensions: ['hstore'],
};

function specify(settings: object = {}): RdsSpecification {
  const declared = {
    engine: 'rds',
    instance: 'shop-db',
    region,
    source: managedSource,
    reach: { through: 'endpoint' },
    databases: { shop },
    certificateAuthorities: server.authorities,
    ...settings,
  };
  const { clusters, alerts } = parseStack({ environment: 'production', clusters: { shop: declared } });
  const specification = {
    schema: 1 as const,
    stack: 'shop/prod',
    environment: 'production' as const,
    cluster: 'shop',
    settings: clusters.shop!,
    alerts,
  };
  return ofEngine(specification, isRds, 'rds');
}

const inspect = (specification = specify()) => inspectInstance(specification, specification.settings);

/** A query as a role, over TLS. */
async function as<Row extends object>(
  { username, password }: { username: string; password: string },
  sql: string,
  database = 'postgres',
): Promise<Row[]> {
  const ssl = { rejectUnauthorized: false };
  const client = new Client({
    host: 'localhost',
    port: server.port,
    user: username,
    password,
    database,
    ssl,
  });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function parameters(): Promise<{ name: string; type: string }[]> {
  const { Parameters: found } = await ssm.send(
    new GetParametersByPathCommand({ Path: '/holdfast-credentials/shop/' }),
  );
  return (found ?? [])
    .map(({ Name, Type }) => ({ name: Name!, type: Type! }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

const written = () => aws.calls.filter(({ action }) => /^(Put|Delete)/.test(action));

/** Leads to the instance, as a tunnel does. */
async function openTunnel(): Promise<number> {
  const tunnel = net.createServer(near => {
    const far = net.connect(server.port, 'localhost');
    for (const side of [near, far]) {
      tunnelled.push(side);
      side.on('error', () => undefined);
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>(resolve => tunnel.listen(0, '127.0.0.1', resolve));
  tunnels.push(tunnel);
  return (tunnel.address() as net.AddressInfo).port;
}

const tunnels: net.Server[] = [];
const tunnelled: net.Socket[] = [];
afterAll(() => {
  for (const tunnel of tunnels) tunnel.close();
  for (const socket of tunnelled) socket.destroy();
});

// One instance, from its first apply on: each test goes on where the one before it stopped.
describe('the databases of an instance', () => {
  test('that can’t be reached from here are left alone, and all else is applied', async () => {
    const specification = specify({ reach: undefined });
    expect(await applyInstance(specification, 1)).toEqual({
      cluster: 'shop',
      endpoint: { host: 'localhost', port: server.port },
      resourceId: expect.stringMatching(/^db-/) as string,
      revision: 1,
    });
    expect(await inspect(specification)).toMatchObject({ provisioned: true, existing: [], applied: null });
    expect(await parameters()).toEqual([]);
    expect(await server.query("select from pg_roles where rolname like 'holdfast%'")).toEqual([]);
  });

  test('are not begun with where nothing answers, neither by the endpoint nor by a tunnel', async () => {
    const closed = await freePort();
    aws.calls.length = 0;
    const tunnel = specify({ reach: { through: 'tunnel', port: closed } });
    await expect(inspect(tunnel)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(
        new RegExp(`cluster shop can’t be managed from here: .*127.0.0.1 \\(port ${closed}\\)`),
      ) as string,
      hint: expect.stringMatching(/open the tunnel.*docs\/aws\.md/) as string,
    });
    aws.rewrite(/^DescribeDBInstances$/, answer =>
      answer.replaceAll(`<Port>${server.port}</Port>`, `<Port>${closed}</Port>`),
    );
    await expect(inspect()).rejects.toMatchObject({
      code: 'engine-failed',
      hint: expect.stringContaining('inside its VPC') as string,
    });
    aws.heal();
    expect(written()).toEqual([]);
    expect(await parameters()).toEqual([]);
  });

  test('get a role for the provider that is no superuser, and passwords that are kept in secret', async () => {
    const applied = await applyInstance(specify(), 1);
    expect(Object.keys(applied.roles ?? {})).toEqual(['shop_app', 'shop_report']);
    expect(await parameters()).toEqual(
      ['holdfast_provider', 'shop_app', 'shop_report'].map(role => ({
        name: `/holdfast-credentials/shop/${role}`,
        type: 'SecureString',
      })),
    );
    const [role] = await server.query(
      `select rolsuper, rolcreaterole, rolcreatedb, rolcanlogin, rolpassword like 'SCRAM-SHA-256$%' as scram
       from pg_authid where rolname = 'holdfast_provider'`,
    );
    expect(role).toEqual({
      rolsuper: false,
      rolcreaterole: true,
      rolcreatedb: true,
      rolcanlogin: true,
      scram: true,
    });
    expect(await as(applied.provider!, 'select current_user as who')).toEqual([{ who: 'holdfast_provider' }]);
  });

  test('keep them: to apply again changes nothing, by a tunnel either', async () => {
    const before = await applyInstance(specify(), 1);
    const hash = async () =>
      server.query("select rolpassword from pg_authid where rolname = 'holdfast_provider'");
    const stored = await hash();
    const through = specify({ reach: { through: 'tunnel', port: await openTunnel() } });
    expect(await applyInstance(through, 1)).toEqual(before);
    expect(await hash()).toEqual(stored);
    const { endpoint, provider, roles } = before;
    expect(await inspect(through)).toMatchObject({
      drift: [],
      existing: [],
      applied: { endpoint, provider, roles },
    });
  });

  test('are not asked for through a tunnel that leads to another instance', async () => {
    const port = await openTunnel();
    aws.rewrite(/^DescribeDBInstances$/, answer =>
      answer.replaceAll('<Address>localhost</Address>', '<Address>shop.example.com</Address>'),
    );
    const through = specify({ reach: { through: 'tunnel', port } });
    await expect(inspect(through)).rejects.toThrow(/certificate's altnames/);
    aws.heal();
  });

  test('get back the provider’s role when somebody changed it', async () => {
    const { provider } = await applyInstance(specify(), 1);
    for (const change of ["password 'another'", 'nologin', 'nocreatedb', "valid until '2001-01-01'"]) {
      await server.query(`alter role holdfast_provider ${change}`);
      expect((await inspect()).drift).toMatchObject([{ what: 'roles.holdfast_provider' }]);
      expect((await applyInstance(specify(), 2)).provider).toEqual(provider);
      expect((await inspect()).drift).toEqual([]);
    }
    await server.query('revoke connect on database postgres from public');
    await applyInstance(specify(), 2);
    expect(await as(provider!, 'select 1 as one')).toEqual([{ one: 1 }]);
    await server.query('grant connect on database postgres to public');
  });

  test('get what only the master user may make, and nothing that a login of theirs owns', async () => {
    const { provider, roles } = await applyInstance(specify(), 2);
    // As Pulumi's provider makes them.
    for (const sql of [
      'create role shop_owner',
      'create role shop_objects',
      `create role shop_app login password '${roles!.shop_app!.verifier}'`,
      `create role shop_report login password '${roles!.shop_report!.verifier}'`,
      'grant shop_owner to holdfast_provider',
      'create database shop owner shop_owner',
    ])
      await as(provider!, sql);
    await as(provider!, 'create schema leftover', 'shop');
    expect(await keepDatabases(specify())).toEqual(['shop: owners', 'shop: extension hstore']);
    expect(await keepDatabases(specify())).toEqual([]);
    const owners = await server.query(
      `select nspname as name, pg_get_userbyid(nspowner) as owner from pg_namespace where nspname = 'leftover'
       union select extname, pg_get_userbyid(extowner) from pg_extension where extname = 'hstore' order by 1`,
      'shop',
    );
    expect(owners).toEqual([
      { name: 'hstore', owner: 'admin' },
      { name: 'leftover', owner: 'shop_owner' },
    ]);
    await expect(keepDatabases(specify({ databases: { shop: { extensions: ['dblink'] } } }))).rejects.toThrow(
      /^database shop: the extension dblink can't be created: permission denied/,
    );
  });

  test('are as declared, or in the way, as on a machine', async () => {
    const found = async () => (await inspect()).existing;
    expect(await found()).toEqual(
      [
        ['role', 'shop_app'],
        ['role', 'shop_objects'],
        ['role', 'shop_owner'],
        ['role', 'shop_report'],
        ['database', 'shop'],
      ].map(([type, id]) => ({ type, id, conflict: null })),
    );
    await server.query("alter role shop_app password 'another'");
    await server.query('alter role shop_owner createdb');
    await server.query('revoke connect on database postgres from public');
    expect((await found()).filter(({ conflict }) => conflict !== null)).toEqual([
      {
        type: 'role',
        id: 'shop_app',
        conflict: expect.objectContaining({
          difference: expect.stringContaining('password') as string,
        }) as object,
      },
      {
        type: 'role',
        id: 'shop_owner',
        conflict: {
          difference: 'it may do more than own',
          // In words that a master user may say.
          remedy: ['alter role "shop_owner" nocreatedb;'],
        },
      },
    ]);
    await server.query('grant connect on database postgres to public');
    await server.query('alter role shop_owner nocreatedb');
  });

  test('of PostgreSQL 14 and older, in which everybody creates in public, are closed, or it is said who has to', async () => {
    await server.query('grant create on schema public to public', 'shop');
    expect((await inspect()).drift).toMatchObject([{ what: 'databases.shop.public' }]);
    expect(await keepDatabases(specify())).toEqual(['shop: public']);
    await server.query('alter schema public owner to postgres', 'shop');
    await server.query('grant create on schema public to public', 'shop');
    await expect(keepDatabases(specify())).rejects.toMatchObject({
      code: 'engine-failed',
      hint: expect.stringContaining('revoke create on schema public from public') as string,
    });
    await server.query('revoke create on schema public from public', 'shop');
  });

  test('can’t be left to Pulumi to drop by leaving out how they are reached', async () => {
    const unreached = specify({ reach: undefined });
    await expect(inspect(unreached)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('clusters.shop.reach is missing') as string,
    });
    // Nothing declared, nothing managed: from then on they may be declared without it.
    const none = specify({ reach: undefined, databases: {} });
    expect(await inspect(none)).toMatchObject({ existing: [], drift: [] });
    await applyInstance(none, 3);
    expect(await inspect(unreached)).toMatchObject({ existing: [], drift: [] });
  });

  test('never make passwords anew that can’t be read, and say none of them', async () => {
    aws.rewrite(/^GetParametersByPath$/, answer => answer.replaceAll('verifier', 'garbled'));
    const garbled: unknown = await applyInstance(specify(), 3).catch((error: unknown) => error);
    expect(garbled).toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('/holdfast-credentials/shop/') as string,
    });
    const said = JSON.stringify(garbled, Object.getOwnPropertyNames(garbled));
    expect(said).not.toContain('SCRAM');
    aws.heal();
    aws.refuse(/^GetParametersByPath$/, 'AccessDeniedException');
    await expect(inspect()).rejects.toMatchObject({ code: 'configuration' });
    aws.heal();
    expect((await readRecord(contextOf()))?.revision).toBe(3);
  });

  test('get a new password of a role whose parameter was deleted, and no other', async () => {
    const before = await applyInstance(specify(), 3);
    await ssm.send(new DeleteParameterCommand({ Name: '/holdfast-credentials/shop/shop_app' }));
    expect((await inspect()).drift).toMatchObject([{ what: 'passwords.shop_app' }]);
    const { roles } = await applyInstance(specify(), 4);
    expect(roles?.shop_app).not.toEqual(before.roles?.shop_app);
    expect(roles?.shop_report).toEqual(before.roles?.shop_report);
    await ssm.send(new DeleteParameterCommand({ Name: '/holdfast-credentials/shop/holdfast_provider' }));
    expect(await inspect()).toMatchObject({
      applied: null,
      drift: [{ what: 'passwords.holdfast_provider' }],
    });
    const after = await applyInstance(specify(), 5);
    expect(after.roles).toEqual(roles);
    expect(after.provider).not.toEqual(before.provider);
    expect(await as(after.provider!, 'select 1 as one')).toEqual([{ one: 1 }]);
  });
});

describe('what Pulumi asks of where the cluster is looked after', () => {
  const host = <T>(verb: HostJobName, document: object): Promise<T> =>
    hostJobs[verb]({ home: '/nowhere', region }, document, patient()) as Promise<T>;
  const document = () => ({ cluster: 'shop', specification: specify() });

  test('says what was changed by hand since the specification was written, and nothing before', async () => {
    await server.query('drop extension hstore', 'shop');
    expect(await host('inspect', document())).toMatchObject({ drift: [], applied: null });
    const Value = JSON.stringify(specify());
    const written = { Name: '/holdfast/shop/specification', Type: 'SecureString' as const, Value };
    await ssm.send(new PutParameterCommand(written));
    expect(await host('inspect', document())).toMatchObject({
      drift: [{ what: 'databases.shop.extensions' }],
      applied: { roles: { shop_app: {} } },
    });
  });

  test('puts it back, and writes down what it did', async () => {
    const { roles } = await host<{ roles: object }>('apply', { ...document(), revision: 6 });
    expect(Object.keys(roles)).toEqual(['shop_app', 'shop_report']);
    const again = () => host('databases', { cluster: 'shop' });
    expect(await again()).toEqual({ cluster: 'shop', changed: ['shop: extension hstore'] });
    expect(await again()).toEqual({ cluster: 'shop', changed: [] });
    const audited = aws.calls.filter(({ action }) => action === 'PutLogEvents').map(({ body }) => body);
    expect(audited.at(-2)).toContain('shop: extension hstore');
    expect(audited.at(-1)).toContain('nothing to change');
    expect(audited.join()).not.toContain('SCRAM');
  });
});
