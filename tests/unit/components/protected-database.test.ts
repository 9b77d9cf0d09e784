import { ProtectedDatabase } from '../../../components/protected-database';
import { applied, contextOf, mockEngine, natureOf, planOf, Recorder, valueOf } from './support';

jest.mock('../../../jobs/host-calls', () => ({ verdictOn: () => Promise.resolve('fresh') }));

const shop = { databases: { shop: { applicationRoles: ['shop_app'], readOnlyRoles: ['shop_report'] } } };
const roles = ['shop_app', 'shop_report'];
const ssh = {
  type: 'ssh',
  host: 'db1.example.com',
  user: 'deploy',
  privateKeyPath: __filename,
  hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==',
  sudoUser: 'root',
};

function make(environment: 'production' | 'staging', settings: object, preview = false) {
  const given = mockEngine({
    preview,
    ...(preview ? {} : { stdout: JSON.stringify(applied('main', roles)) }),
  });
  const plan = planOf(environment, 'main', settings);
  const recorder = new Recorder();
  const database = new ProtectedDatabase(
    'main',
    { plan, context: contextOf(plan, preview) },
    recorder.options,
  );
  return { recorder, database, given };
}

describe('a protected database', () => {
  it('in production is made of protected resources, of which Pulumi never drops what is inside the cluster', async () => {
    const { recorder } = make('production', shop);
    await recorder.done();
    const kept = ', protected, retained';
    expect(recorder.lines()).toEqual([
      'holdfast:index:ProtectedDatabase main',
      'holdfast:host:HostCluster main-cluster in main',
      'command:local:Command main-cluster-apply in main-cluster, protected',
      'holdfast:postgresql:DatabaseCatalog main-catalog in main',
      'pulumi:providers:postgresql main-catalog-provider in main-catalog after main-cluster-apply',
      `postgresql:index/role:Role main-catalog-shop_app in main-catalog${kept}`,
      `postgresql:index/role:Role main-catalog-shop_report in main-catalog${kept}`,
      `postgresql:index/role:Role main-catalog-shop_owner in main-catalog${kept}`,
      `postgresql:index/role:Role main-catalog-shop_objects in main-catalog${kept}`,
      `postgresql:index/grantRole:GrantRole main-catalog-shop-provider in main-catalog${kept}`,
      `postgresql:index/database:Database main-catalog-shop in main-catalog after main-catalog-shop-provider${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-public in main-catalog after main-catalog-shop${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-shop_app in main-catalog after main-catalog-shop-public${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-shop_report in main-catalog after main-catalog-shop-shop_app${kept}`,
      `postgresql:index/schema:Schema main-catalog-shop-app in main-catalog after main-catalog-shop-shop_report${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-app-shop_app in main-catalog after main-catalog-shop-app${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-app-shop_app-tables in main-catalog after main-catalog-shop-app-shop_app${kept}`,
      `postgresql:index/defaultPrivileges:DefaultPrivileges main-catalog-shop-app-shop_app-future-tables in main-catalog after main-catalog-shop-app-shop_app-tables${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-app-shop_app-sequences in main-catalog after main-catalog-shop-app-shop_app-future-tables${kept}`,
      `postgresql:index/defaultPrivileges:DefaultPrivileges main-catalog-shop-app-shop_app-future-sequences in main-catalog after main-catalog-shop-app-shop_app-sequences${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-app-shop_report in main-catalog after main-catalog-shop-app-shop_app-future-sequences${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-app-shop_report-tables in main-catalog after main-catalog-shop-app-shop_report${kept}`,
      `postgresql:index/defaultPrivileges:DefaultPrivileges main-catalog-shop-app-shop_report-future-tables in main-catalog after main-catalog-shop-app-shop_report-tables${kept}`,
      `postgresql:index/grant:Grant main-catalog-shop-app-shop_report-sequences in main-catalog after main-catalog-shop-app-shop_report-future-tables${kept}`,
      `postgresql:index/defaultPrivileges:DefaultPrivileges main-catalog-shop-app-shop_report-future-sequences in main-catalog after main-catalog-shop-app-shop_report-sequences${kept}`,
      'command:local:Command main-catalog-databases in main-catalog after main-catalog-shop-app-shop_report-future-sequences, protected',
      'holdfast:host:BackupSchedule main-schedule in main after main-cluster, main-catalog',
      'command:local:Command main-schedule-timer in main-schedule, protected',
    ]);
  });

  it('in staging is unprotected, and what is inside the cluster goes with it', async () => {
    const { recorder } = make('staging', { databases: { shop: {} } });
    await recorder.done();
    const gone = ', deleted with main-cluster-apply';
    expect(recorder.lines()).toEqual([
      'holdfast:index:ProtectedDatabase main',
      'holdfast:host:HostCluster main-cluster in main',
      'command:local:Command main-cluster-apply in main-cluster',
      'holdfast:postgresql:DatabaseCatalog main-catalog in main',
      'pulumi:providers:postgresql main-catalog-provider in main-catalog after main-cluster-apply',
      `postgresql:index/role:Role main-catalog-shop_owner in main-catalog${gone}`,
      `postgresql:index/role:Role main-catalog-shop_objects in main-catalog${gone}`,
      `postgresql:index/grantRole:GrantRole main-catalog-shop-provider in main-catalog${gone}`,
      `postgresql:index/database:Database main-catalog-shop in main-catalog after main-catalog-shop-provider${gone}`,
      `postgresql:index/grant:Grant main-catalog-shop-public in main-catalog after main-catalog-shop${gone}`,
      `postgresql:index/schema:Schema main-catalog-shop-app in main-catalog after main-catalog-shop-public${gone}`,
      'command:local:Command main-catalog-databases in main-catalog after main-catalog-shop-app',
      'holdfast:host:BackupSchedule main-schedule in main after main-cluster, main-catalog',
      'command:local:Command main-schedule-timer in main-schedule',
    ]);
  });

  it('over SSH brings the program first, and has nothing dropped through a tunnel that is gone', async () => {
    const { recorder } = make('staging', { connection: ssh });
    await recorder.done();
    expect(recorder.lines()).toEqual([
      'holdfast:index:ProtectedDatabase main',
      'holdfast:host:HostCluster main-cluster in main',
      'command:remote:Command main-cluster-directory in main-cluster',
      'command:remote:CopyToRemote main-cluster-program in main-cluster after main-cluster-directory',
      'command:remote:Command main-cluster-apply in main-cluster after main-cluster-program',
      'holdfast:postgresql:DatabaseCatalog main-catalog in main',
      'holdfast:host:BackupSchedule main-schedule in main after main-cluster, main-catalog',
      'command:remote:Command main-schedule-timer in main-schedule',
    ]);
  });

  it('makes the same resources in a preview in which nothing is known yet', async () => {
    const update = make('production', shop);
    await update.recorder.done();
    const preview = make('production', shop, true);
    await preview.recorder.done();
    expect(preview.recorder.lines()).toEqual(update.recorder.lines());
    expect(await natureOf(preview.database.outputs.port)).toEqual({ secret: false, known: false });
    expect((await natureOf(preview.database.passwords)).known).toBe(false);
  });

  it('shows where the cluster is and how its backups are, and keeps the passwords secret', async () => {
    const { recorder, database } = make('production', shop);
    await recorder.done();
    const { host, port, stanza, verdict } = database.outputs;
    expect(await Promise.all([host, port, stanza, verdict].map(output => valueOf<unknown>(output)))).toEqual([
      '127.0.0.1',
      5441,
      'main',
      'fresh',
    ]);
    for (const output of [host, port, stanza, verdict])
      expect(await natureOf(output)).toEqual({ secret: false, known: true });
    expect(await natureOf(database.passwords)).toEqual({ secret: true, known: true });
    expect(await valueOf(database.passwords)).toEqual({
      shop_app: 'of shop_app',
      shop_report: 'of shop_report',
    });
  });

  it('gives the server verifiers, never passwords', async () => {
    const { recorder, given } = make('production', shop);
    await recorder.done();
    expect(given.get('main-catalog-shop_app')).toMatchObject({
      name: 'shop_app',
      login: true,
      password: 'SCRAM-SHA-256$of shop_app',
    });
    expect(given.get('main-catalog-shop_owner')).toEqual({ name: 'shop_owner', login: false });
  });

  it('lets PUBLIC do nothing in a database, and logins no more than they were declared for', async () => {
    const { recorder, given } = make('production', shop);
    await recorder.done();
    const privileges = (name: string) => given.get(`main-catalog-shop-${name}`)?.privileges;
    expect(privileges('public')).toEqual([]);
    expect(privileges('shop_app')).toEqual(['CONNECT', 'TEMPORARY']);
    expect(privileges('shop_report')).toEqual(['CONNECT']);
    expect(privileges('app-shop_app-tables')).toEqual(['SELECT', 'INSERT', 'UPDATE', 'DELETE']);
    expect(privileges('app-shop_report-future-tables')).toEqual(['SELECT']);
  });

  it('connects as a role that is no superuser, over TLS where the cluster asks for it', async () => {
    const { recorder, given } = make('production', shop);
    await recorder.done();
    expect(given.get('main-catalog-provider')).toMatchObject({
      username: 'holdfast_provider',
      password: 'of the provider',
      superuser: 'false',
      sslmode: 'disable',
    });
  });

  it('has a superuser make the extensions, and says in the clear which', async () => {
    const { recorder, given } = make('production', {
      databases: { crm: {}, shop: { extensions: ['hstore', 'pg_trgm'] } },
    });
    await recorder.done();
    expect(given.get('main-catalog-databases')).toMatchObject({
      create: expect.stringContaining('host databases') as string,
      stdin: '{"cluster":"main"}',
      environment: {
        HOLDFAST_DATABASES: 'crm: no extensions; shop: hstore, pg_trgm',
        HOLDFAST_REVISION: '1',
      },
    });
  });

  it('makes no provider for a cluster without databases', async () => {
    const { recorder } = make('production', {});
    await recorder.done();
    expect(recorder.made.filter(({ type }) => type.includes('postgresql:'))).toHaveLength(1);
  });

  it('refuses a login with the name of an owner', () => {
    expect(() => make('production', { databases: { shop: { applicationRoles: ['shop_owner'] } } })).toThrow(
      "databases.shop: the role shop_owner can't log in: it owns the database shop",
    );
  });
});
