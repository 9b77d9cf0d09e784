import fs from 'node:fs';
import path from 'node:path';
import { startForeignCluster, type ForeignCluster } from '../support/foreign-cluster';
import { removeTempDirs } from '../support/temp';
import { ownedByLogins, Place, rowsOf, type Outputs } from './stack-support';

/** Things of a shop that ran before: its application owns all of it. */
const theirs = `
  create role alice login password 'of alice';
  create role shop_app login password 'of the application';
  create role shop_objects login;
  create database shop owner alice;
  \\connect shop
  set role alice;
  create schema app;
  create table app.orders (id bigint generated always as identity primary key, item text);
  create view app.items as select item from app.orders;
  create sequence app.numbers;
  insert into app.orders (item) select 'hat' from generate_series(1, 1000);
`;

let foreign: ForeignCluster;
let place: Place;
const settings = (applicationRole: string) => ({
  environment: 'production',
  clusters: {
    prod: {
      source: {
        mode: 'existing',
        dataDirectory: foreign.dataDirectory,
        socketDirectory: foreign.directory,
        port: foreign.port,
      },
      databases: { shop: { applicationRoles: [applicationRole], extensions: ['pageinspect'] } },
    },
  },
});
const file = (applicationRole: string) => place.stackFile('prod', settings(applicationRole));
const isUntouched = async () => {
  expect(await foreign.psql('postgres', 'show archive_command')).toBe('');
  expect(
    await foreign.psql('postgres', "select count(*) from pg_roles where rolname = 'holdfast_provider'"),
  ).toBe('0');
  expect(fs.existsSync(path.join(place.clusterDirectory('prod'), 'record.json'))).toBe(false);
  expect(
    await foreign.psql('shop', "select pg_get_userbyid(datdba) from pg_database where datname = 'shop'"),
  ).toBe('alice');
};

beforeAll(async () => {
  foreign = await startForeignCluster();
  place = new Place();
  await foreign.psql('postgres', 'create database bench');
  await foreign.program('pgbench', ['-i', '-q', '-s', '1', 'bench']);
  await foreign.psql('postgres', theirs);
  await place.initialise('prod');
}, 120_000);

afterAll(async () => {
  await place.host('unschedule', { cluster: 'prod' });
  await foreign.stop();
  removeTempDirs();
});

describe('what a cluster has already', () => {
  let printed: string;

  it('is not taken over: preview and update name each thing, before anything is changed', async () => {
    for (const attempt of [() => place.preview(file('shop_app')), () => place.up(file('shop_app'))]) {
      const { code, stdout } = await attempt();
      expect(code).not.toBe(0);
      printed = stdout;
      expect(stdout).toContain('cluster prod has already, but not as declared');
      expect(stdout).toContain(
        'role shop_app: it is somebody’s already, with a password that would be replaced',
      );
      expect(stdout).toContain('role shop_objects: it logs in, and owners never do');
      expect(stdout).toContain('database shop: it belongs to alice, not to shop_owner');
      expect(stdout).toContain(
        'schema shop.app: it, or what is in it, belongs to alice, not to shop_objects',
      );
      await isUntouched();
    }
  });

  it('is handed over by the statements that the refusal prints, and then imported with its data', async () => {
    const statements = printed
      .split('\n')
      .filter(line => /^\s+(create role|alter|select format|\\connect|--)/.test(line));
    expect(statements).toHaveLength(7);
    await foreign.psql('postgres', statements.join('\n'));

    const steps = await place.plannedSteps(file('shop_web'));
    expect(steps.filter(step => step.startsWith('import')).sort()).toEqual([
      'import prod-catalog-shop',
      'import prod-catalog-shop-app',
      'import prod-catalog-shop_objects',
      'import prod-catalog-shop_owner',
    ]);
    const { code, stdout } = await place.up(file('shop_web'));
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await place.plannedSteps(file('shop_web'))).toEqual([]);
    expect(await foreign.psql('shop', 'select count(*) from app.orders')).toBe('1000');
    expect(await foreign.psql('bench', 'select count(*) from pgbench_accounts')).toBe('100000');
  });

  it('is used by the declared login, and belongs to no login', async () => {
    const { passwords }: Outputs = await place.outputs('prod');
    const login = {
      port: foreign.port,
      database: 'shop',
      user: 'shop_web',
      password: passwords.prod!.shop_web!,
    };
    expect(await rowsOf(login, "insert into app.orders (item) values ('coat') returning item")).toEqual([
      { item: 'coat' },
    ]);
    expect(await rowsOf(login, 'select count(*)::int as items from app.items')).toEqual([{ items: 1001 }]);
    expect(await foreign.psql('shop', ownedByLogins)).toBe('');
  });

  it('is imported again when Pulumi’s state was lost, with the passwords that it had', async () => {
    const before = await place.outputs('prod');
    await place.workspace.succeed(['stack', 'rm', 'prod', '--yes', '--force', '--preserve-config']);
    await place.initialise('prod');
    const { code, stdout } = await place.up(file('shop_web'));
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await place.outputs('prod')).toEqual(before);
    expect(await place.plannedSteps(file('shop_web'))).toEqual([]);
    expect(await foreign.psql('shop', 'select count(*) from app.orders')).toBe('1001');
  });
});
