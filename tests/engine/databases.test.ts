import os from 'node:os';
import { pathsOf } from '../../engines/host/layout';
import { keepDatabases } from '../../engines/host/provision/databases';
import { inspect } from '../../engines/host/provision/inspect';
import { stop } from '../../engines/host/provision/power';
import { withServer } from '../../engines/host/session';
import { createCluster, specify, type TestCluster } from '../support/host-cluster';
import { removeTempDirs } from '../support/temp';

const declared = (shop: object) => ({ environment: 'staging' as const, cluster: { databases: { shop } } });

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await createCluster(declared({ schemas: ['app'], applicationRoles: ['shop_app'] }));
});
afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

const query = <Row extends object>(sql: string, database = 'postgres'): Promise<Row[]> => {
  const { socketDirectory } = pathsOf(cluster.home, cluster.specification);
  const { port } = cluster.outcome.applied.endpoint;
  return withServer({ socketDirectory, port, superuser: os.userInfo().username }, database, session =>
    session.query<Row>(sql),
  );
};
const look = () => inspect(cluster.specification, { home: cluster.home });

describe('declared databases', () => {
  it('that aren’t there yet neither exist nor differ', async () => {
    expect(await look()).toMatchObject({ existing: [], drift: [] });
  });

  it('are as declared, or in the way, as a whole', async () => {
    const { verifier } = cluster.outcome.applied.roles.shop_app!;
    for (const sql of [
      `create role shop_app login password '${verifier}'`,
      'create role shop_owner createdb',
      'create role shop_objects',
      'create database shop owner shop_owner',
    ])
      await query(sql);
    await query('create schema app authorization shop_objects', 'shop');
    const conflict = {
      difference: 'it may do more than own',
      remedy: [expect.stringContaining('nocreatedb') as string],
    };
    expect((await look()).existing).toEqual([
      { type: 'role', id: 'shop_app', conflict: null },
      { type: 'role', id: 'shop_objects', conflict: null },
      { type: 'role', id: 'shop_owner', conflict },
      { type: 'database', id: 'shop', conflict: null },
      { type: 'schema', id: 'shop.app', conflict: null },
    ]);
    await query('create table app.orders (id serial)', 'shop');
    await query("alter role shop_app password 'another'");
    const { existing } = await look();
    expect(existing.find(({ id }) => id === 'shop.app')?.conflict?.difference).toContain(
      os.userInfo().username,
    );
    expect(existing.find(({ id }) => id === 'shop_app')?.conflict?.difference).toContain('password');
  });

  it('of PostgreSQL 14 and older, in which everybody creates in public, are closed; once is enough', async () => {
    const { specification, home } = cluster;
    await query('grant create on schema public to public', 'shop');
    expect((await look()).drift).toMatchObject([{ what: 'databases.shop.public' }]);
    expect(await keepDatabases(specification, home)).toEqual(['shop: public']);
    expect(await keepDatabases(specification, home)).toEqual([]);
    expect((await look()).drift).toEqual([]);
  });

  it('get their extensions, those that need a superuser too, with what these need', async () => {
    const { home } = cluster;
    const extensions = ['earthdistance', 'pageinspect'];
    expect(await keepDatabases(specify(declared({ extensions })), home)).toEqual([
      'shop: extension earthdistance',
      'shop: extension pageinspect',
    ]);
    await expect(keepDatabases(specify(declared({ extensions: ['no_such'] })), home)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringMatching(
        /^database shop: the extension no_such can't be created: .*no_such/,
      ) as string,
    });
  });

  it('of a cluster that is down are not seen to', async () => {
    const { specification, home } = cluster;
    await stop(specification, home);
    await expect(keepDatabases(specification, home)).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'cluster shop is not running',
    });
    expect(await look()).toMatchObject({ existing: [], drift: [] });
  });
});
