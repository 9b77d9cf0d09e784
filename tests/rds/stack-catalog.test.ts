import fs from 'node:fs';
import path from 'node:path';
import { DeleteParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { Client } from 'pg';
import { commandLinesDuring, ownedByLogins, Place } from '../integration/stack-support';
import { homeWithAwsProvider } from '../support/aws-provider/install';
import { region, startAws, type TestAws } from '../support/moto/moto';
import { startInstanceServer, type InstanceServer } from '../support/moto/postgres';
import { freePort } from '../support/ports';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs } from '../support/temp';
import { defaultNetwork, endFirstProvision, failure, succeed, takeVerifiedSnapshot } from './stack-support';

/*
 * A production stack with databases inside the instance: Pulumi's own engine, the policy pack, the real PostgreSQL provider, and
 * a real PostgreSQL that stands for the instance, whose master user is no superuser.
 */

let aws: TestAws;
let server: InstanceServer;
let place: Place;
let network: object;
beforeAll(async () => {
  [aws, server] = await Promise.all([startAws(), startInstanceServer()]);
  await server.query('alter role admin nosuperuser createdb createrole');
  await server.query("alter system set log_statement = 'all'");
  await server.query('select pg_reload_conf()');
  place = new Place();
  Object.assign(place.workspace.env, {
    PULUMI_HOME: await homeWithAwsProvider(),
    PULUMI_OPTION_POLICY_PACK: path.join(repositoryRoot, 'policy'),
  });
  await place.initialise('prod');
  network = await defaultNetwork(aws);
});
afterAll(async () => {
  await Promise.all([aws.stop(), server.stop()]);
  removeTempDirs();
});

const shop = { applicationRoles: ['shop_app'], readOnlyRoles: ['shop_report'], extensions: ['hstore'] };
const source = () => ({
  mode: 'managed',
  version: '16.4',
  class: 'db.m7g.large',
  network,
  port: server.port,
});

const stackFile = (settings: object): string[] =>
  place.stackFile('prod', {
    environment: 'production',
    clusters: {
      shop: {
        engine: 'rds',
        instance: 'shop-db',
        region,
        source: source(),
        certificateAuthorities: server.authorities,
        databases: { shop },
        ...settings,
      },
    },
  });
const managed = (databases: object = { shop }) => stackFile({ databases, reach: { through: 'endpoint' } });

const rolesOfOurs = () =>
  server.query("select rolname from pg_roles where rolname ~ '^(shop|holdfast)_' order by 1");

/** A query as one of the declared roles, with the password that the stack says. */
async function as<Row extends object>(user: string, sql: string): Promise<Row[]> {
  const { passwords } = await place.outputs('prod');
  const ssl = { ca: fs.readFileSync(server.authorities, 'utf8') };
  const login = { user, password: passwords.shop![user]!, host: 'localhost', port: server.port, ssl };
  const client = new Client({ ...login, database: 'shop' });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

// One stack, from its first preview on: each test goes on where the one before it stopped.
describe('databases of a production stack on RDS', () => {
  test('that can’t be reached are named, and all the rest is made', async () => {
    const ran = await place.up(stackFile({}));
    await succeed(Promise.resolve(ran));
    expect(ran.stdout).toContain('shop: databases that are not managed: shop.');
    expect(aws.calls.map(({ action }) => action)).toContain('CreateDBInstance');
    expect(await rolesOfOurs()).toEqual([]);
    expect(await place.plannedSteps(stackFile({}))).toEqual([]);
  });

  test('are not begun with while nothing answers: nothing is changed, at AWS either', async () => {
    const unreached = stackFile({ reach: { through: 'tunnel', port: await freePort() } });
    const since = aws.calls.length;
    for (const run of [place.preview(unreached), place.up(unreached)])
      expect(await failure(run)).toMatch(/can’t be managed from here.*\n.*open the tunnel/);
    const changing = /^(Create|Modify|Delete|Add|Remove|Put(?!LogEvents))/;
    expect(aws.calls.slice(since).filter(({ action }) => changing.test(action))).toEqual([]);
    expect(await rolesOfOurs()).toEqual([]);
    expect(await place.plannedSteps(stackFile({}))).toEqual([]);
  });

  test('aren’t taken over where what is there isn’t as declared', async () => {
    await server.query('create role shop_owner createdb');
    const refused = await failure(place.preview(managed()));
    expect(refused).toContain('role shop_owner: it may do more than own');
    expect(refused).toContain('alter role "shop_owner" nocreatedb;');
    await server.query('alter role shop_owner nocreatedb');
  });

  test('are made with their roles, and nothing that is printed, logged or kept says a password', async () => {
    const { result: ran, commandLines } = await commandLinesDuring(place.up(managed()));
    await succeed(Promise.resolve(ran));
    // What was there already, as declared, is taken into the state.
    expect(ran.stdout).toMatch(/shop-catalog-shop_owner imported/);
    expect(await rolesOfOurs()).toHaveLength(5);
    const { passwords } = await place.outputs('prod');
    const secrets = Object.values(passwords.shop!);
    expect(secrets).toHaveLength(2);
    const log = fs.readFileSync(path.join(path.dirname(server.dataDirectory), 'log'), 'utf8');
    expect(log).toContain('CREATE DATABASE "shop"');
    for (const text of [ran.stdout, ran.stderr, place.stateText(), commandLines, log])
      for (const secret of secrets) expect(text).not.toContain(secret);
    expect(place.stateText()).not.toContain('SCRAM-SHA-256$');
  });

  test('let their roles do what they are declared for, and own nothing', async () => {
    await server.query('set role shop_objects; create table app.orders (id int)', 'shop');
    await as('shop_app', 'insert into app.orders values (1)');
    expect(await as('shop_report', 'select id from app.orders')).toEqual([{ id: 1 }]);
    await expect(as('shop_report', 'delete from app.orders')).rejects.toThrow('permission denied');
    await expect(as('shop_app', 'drop table app.orders')).rejects.toThrow('must be owner');
    await expect(as('shop_app', 'create table public.mine (id int)')).rejects.toThrow('permission denied');
    const owned = await server.query<{ '?column?': string }>(ownedByLogins, 'shop');
    // Extensions belong to the master user, as on RDS.
    expect(owned.map(row => Object.values(row)[0]).filter(line => !line?.startsWith('admin: '))).toEqual([]);
    const [extension] = await server.query(
      "select extname from pg_extension where extname = 'hstore'",
      'shop',
    );
    expect(extension).toBeDefined();
  });

  test('have nothing to change afterwards', async () => {
    expect(await place.plannedSteps(managed())).toEqual([]);
  });

  test('get back what was changed by hand, with the passwords that there were, and new ones for those that are gone', async () => {
    const before = await place.outputs('prod');
    await server.query("alter role holdfast_provider password 'another'");
    await server.query('drop extension hstore', 'shop');
    const gone = { Name: '/holdfast-credentials/shop/shop_report' };
    await new SSMClient({ region }).send(new DeleteParameterCommand(gone));
    const preview = await succeed(place.preview(managed()));
    for (const what of ['roles.holdfast_provider', 'databases.shop.extensions', 'passwords.shop_report'])
      expect(preview).toContain(`${what} was changed by hand`);
    await succeed(place.up(managed()));
    expect(await place.plannedSteps(managed())).toEqual([]);
    const { shop_app, shop_report } = (await place.outputs('prod')).passwords.shop!;
    expect(shop_app).toBe(before.passwords.shop!.shop_app);
    expect(shop_report).not.toBe(before.passwords.shop!.shop_report);
    for (const role of ['shop_app', 'shop_report'])
      expect(await as(role, 'select current_user as who')).toEqual([{ who: role }]);
  });

  test('aren’t changed without a snapshot of the instance', async () => {
    await endFirstProvision();
    await takeVerifiedSnapshot();
    const more = managed({ shop: { ...shop, readOnlyRoles: ['shop_report', 'shop_audit'] } });
    aws.refuse(/^CreateDBSnapshot$/, 'KMSKeyNotAccessibleFault');
    expect(await failure(place.up(more))).toContain('no snapshot, so nothing was changed');
    expect(await server.query("select from pg_roles where rolname = 'shop_audit'")).toEqual([]);
    aws.heal();
    await succeed(place.up(more));
    expect(aws.calls.map(({ action }) => action)).toContain('CreateDBSnapshot');
    expect(await as('shop_audit', 'select id from app.orders')).toEqual([{ id: 1 }]);
    expect(await place.plannedSteps(more)).toEqual([]);
  });

  test('are not taken for removed when it isn’t said any more how they are reached', async () => {
    const more = { databases: { shop: { ...shop, readOnlyRoles: ['shop_report', 'shop_audit'] } } };
    expect(await failure(place.preview(stackFile(more)))).toContain('clusters.shop.reach is missing');
  });
});
