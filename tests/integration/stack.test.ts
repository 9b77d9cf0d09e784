import fs from 'node:fs';
import path from 'node:path';
import { embeddedPassphrase } from '../../jobs/embedded';
import { answers } from '../support/ports';
import type { Ran } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs } from '../support/temp';
import {
  commandLinesDuring,
  ownedByLogins,
  Place,
  rowsOf,
  withClient,
  type Outputs,
  type StackName,
} from './stack-support';

const databases = {
  shop: { applicationRoles: ['shop_app'], readOnlyRoles: ['shop_report'], extensions: ['pg_trgm'] },
};

const settingsOf = (stack: StackName, source: object = {}) => ({
  environment: stack === 'prod' ? 'production' : 'staging',
  clusters: { [stack]: { source: { mode: 'managed', ...source }, databases } },
});

const committed = (['staging', 'prod'] as const).map(stack =>
  path.join(repositoryRoot, `Pulumi.${stack}.yaml`),
);
const texts = () => committed.map(file => fs.readFileSync(file, 'utf8'));

const contentOf = (directory: string) => (fs.existsSync(directory) ? fs.readdirSync(directory) : []);

let place: Place;
let files: Record<StackName, string[]>;
let outputs: Record<StackName, Outputs>;
let updates: Ran[];
let commandLines: string;
const before = texts();

beforeAll(async () => {
  place = new Place();
  files = {
    staging: place.stackFile('staging', settingsOf('staging')),
    prod: place.stackFile('prod', settingsOf('prod')),
  };
  for (const stack of ['staging', 'prod'] as const) await place.initialise(stack);
  const seen = await commandLinesDuring(Promise.all([place.up(files.staging), place.up(files.prod)]));
  updates = seen.result;
  commandLines = seen.commandLines;
  for (const { code, stdout, stderr } of updates) if (code !== 0) throw new Error(`${stdout}\n${stderr}`);
  outputs = { staging: await place.outputs('staging'), prod: await place.outputs('prod') };
}, 300_000);

afterAll(async () => {
  for (const cluster of ['staging', 'prod']) await place.host('unschedule', { cluster });
  removeTempDirs();
});

const login = (stack: StackName, user: string) => ({
  port: outputs[stack].clusters[stack]!.port,
  database: 'shop',
  user,
  password: outputs[stack].passwords[stack]![user]!,
});

describe('two stacks on one machine', () => {
  it('say where their clusters are', () => {
    for (const stack of ['staging', 'prod'] as const)
      expect(outputs[stack].clusters).toEqual({
        [stack]: {
          host: '127.0.0.1',
          port: expect.any(Number) as number,
          stanza: stack,
          verdict: expect.stringMatching(/^(fresh|stale|missing|unknown)$/) as string,
        },
      });
    expect(outputs.prod.clusters.prod!.port).not.toBe(outputs.staging.clusters.staging!.port);
  });

  it('leave their committed files as they were', () => {
    expect(texts()).toEqual(before);
  });

  it('have nothing to change afterwards', async () => {
    const steps = await Promise.all([place.plannedSteps(files.staging), place.plannedSteps(files.prod)]);
    expect(steps).toEqual([[], []]);
  });
});

describe('roles', () => {
  it('log in with the passwords of the outputs', async () => {
    for (const stack of ['staging', 'prod'] as const)
      for (const user of ['shop_app', 'shop_report'])
        expect(await rowsOf(login(stack, user), 'select current_user')).toEqual([{ current_user: user }]);
  });

  it('of another stack have other passwords', async () => {
    const wrong = { ...login('prod', 'shop_app'), password: login('staging', 'shop_app').password };
    await expect(withClient(wrong, () => Promise.resolve())).rejects.toThrow(
      'password authentication failed',
    );
  });

  it('that log in own nothing', async () => {
    for (const stack of ['staging', 'prod'] as const)
      for (const database of ['shop', 'postgres'])
        expect(await place.asSuperuser(stack, database, ownedByLogins)).toBe('');
    const extensions = 'select extname, pg_get_userbyid(extowner) from pg_extension order by 1';
    expect(await place.asSuperuser('prod', 'shop', extensions)).toBe('pg_trgm|postgres\nplpgsql|postgres');
  });

  it('may do in tables of the object owner what they were declared for, and no more', async () => {
    await place.asSuperuser(
      'prod',
      'shop',
      'set role shop_objects; create table app.orders (id bigint generated always as identity primary key, item text)',
    );
    await withClient(login('prod', 'shop_app'), async client => {
      await client.query("insert into app.orders (item) values ('hat')");
      await expect(client.query('create table app.mine ()')).rejects.toThrow(
        'permission denied for schema app',
      );
      await expect(client.query('create table public.mine ()')).rejects.toThrow(
        'permission denied for schema public',
      );
      await expect(client.query('truncate app.orders')).rejects.toThrow('permission denied for table orders');
    });
    await withClient(login('prod', 'shop_report'), async client => {
      expect((await client.query('select item from app.orders')).rows).toEqual([{ item: 'hat' }]);
      await expect(client.query('delete from app.orders')).rejects.toThrow(
        'permission denied for table orders',
      );
    });
  });

  it('beyond the declared ones can’t connect to a database', async () => {
    await place.asSuperuser('prod', 'postgres', "create role stranger login password 'stranger''s own'");
    await expect(
      withClient({ ...login('prod', 'shop_app'), user: 'stranger', password: "stranger's own" }, () =>
        Promise.resolve(),
      ),
    ).rejects.toThrow('permission denied for database "shop"');
    await place.asSuperuser('prod', 'postgres', 'drop role stranger');
  });

  it('are kept by the server as SCRAM verifiers', async () => {
    const kept = await place.asSuperuser(
      'prod',
      'postgres',
      "select distinct split_part(rolpassword, '$', 1) from pg_authid where rolpassword is not null",
    );
    expect(kept).toBe('SCRAM-SHA-256');
  });
});

describe('secrets', () => {
  const secrets = () => {
    const provider = ['staging', 'prod'].map(cluster => {
      const file = path.join(place.clusterDirectory(cluster), 'credentials.json');
      return (JSON.parse(fs.readFileSync(file, 'utf8')) as { provider: { password: string } }).provider
        .password;
    });
    const roles = Object.values(outputs).flatMap(({ passwords }) =>
      Object.values(passwords).flatMap(byRole => Object.values(byRole)),
    );
    return [...provider, ...roles];
  };

  it('are not in clear in the state', () => {
    const state = place.stateText();
    for (const secret of secrets()) expect(state).not.toContain(secret);
    expect(state).not.toContain('SCRAM-SHA-256$');
  });

  it('are not in what an update prints, nor in a process list while it runs', async () => {
    const shown = [
      ...updates.flatMap(({ stdout, stderr }) => [stdout, stderr]),
      await place.workspace.succeed(['preview', ...files.prod, '--json', '--diff']),
    ].join('\n');
    for (const secret of [...secrets(), embeddedPassphrase]) {
      expect(shown).not.toContain(secret);
      expect(commandLines).not.toContain(secret);
    }
    expect(commandLines).toContain('host\0apply');
  });
});

describe('a changed setting', () => {
  const changed = () => place.stackFile('prod', settingsOf('prod', { settings: { work_mem: '9MB' } }));

  it('is an update in place of the cluster, and of nothing else', async () => {
    expect(await place.plannedSteps(changed())).toEqual(['update prod-cluster-apply']);
  });

  it('takes effect with the update', async () => {
    const { code, stdout } = await place.up(changed());
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await place.asSuperuser('prod', 'shop', 'show work_mem')).toBe('9MB');
    expect(stdout).toContain('before this change');
  });

  it('that was changed back by hand shows in the preview, and the update repairs it', async () => {
    await place.asSuperuser('prod', 'postgres', "alter system set work_mem = '5MB'");
    await place.asSuperuser('prod', 'postgres', 'select pg_reload_conf()');
    const preview = await place.preview(changed());
    expect(preview.stdout).toContain('work_mem');
    expect(preview.stdout).toContain('was changed by hand');
    expect(await place.plannedSteps(changed())).toEqual([
      'update prod-cluster-apply',
      'update prod-catalog-databases',
      'update prod-schedule-timer',
    ]);
    expect(await place.up(changed())).toMatchObject({ code: 0 });
    expect(await place.asSuperuser('prod', 'shop', 'show work_mem')).toBe('9MB');
    expect(await place.plannedSteps(changed())).toEqual([]);
  });
});

describe('a database that was changed by hand', () => {
  it('shows in the preview, and the update repairs it', async () => {
    const file = place.stackFile('prod', settingsOf('prod', { settings: { work_mem: '9MB' } }));
    await place.asSuperuser('prod', 'shop', 'grant create on schema public to public');
    await place.asSuperuser('prod', 'shop', 'drop extension pg_trgm');
    await place.asSuperuser('prod', 'shop', 'alter table app.orders owner to holdfast_provider');
    const { stdout } = await place.preview(file);
    for (const what of ['public', 'extensions', 'owners'])
      expect(stdout).toContain(`databases.shop.${what} was changed by hand`);
    expect(await place.up(file)).toMatchObject({ code: 0 });
    expect(await place.asSuperuser('prod', 'shop', ownedByLogins)).toBe('');
    expect(await place.asSuperuser('prod', 'shop', 'select count(*) from pg_extension')).toBe('2');
    const create = "select has_schema_privilege('shop_app', 'public', 'create')";
    expect(await place.asSuperuser('prod', 'shop', create)).toBe('f');
    await place.asSuperuser('prod', 'shop', 'alter table app.orders owner to shop_objects');
    expect(await place.plannedSteps(file)).toEqual([]);
  });
});

describe('a new role', () => {
  it('is all that a preview shows beside the cluster’s update, and logs in after it', async () => {
    const wider = { shop: { ...databases.shop, readOnlyRoles: ['shop_report', 'shop_audit'] } };
    const file = place.stackFile('staging', {
      environment: 'staging',
      clusters: { staging: { databases: wider } },
    });
    const steps = await place.plannedSteps(file);
    expect(steps.filter(step => !step.includes('shop_audit'))).toEqual(['update staging-cluster-apply']);
    expect(await place.up(file)).toMatchObject({ code: 0 });
    outputs.staging = await place.outputs('staging');
    expect(await rowsOf(login('staging', 'shop_audit'), 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await place.plannedSteps(file)).toEqual([]);
  });
});

describe('a cluster of another stack', () => {
  it('is refused in the preview already', async () => {
    const file = place.stackFile('staging', { environment: 'staging', clusters: { prod: {} } });
    const { code, stdout } = await place.preview(file);
    expect(code).not.toBe(0);
    expect(stdout).toContain('belongs to the stack holdfast/prod, not to holdfast/staging');
  });
});

describe('production', () => {
  const untouched = async (attempt: () => Promise<Ran>): Promise<Ran> => {
    const count = await place.resourceCount('prod');
    const ran = await attempt();
    expect(ran.code).not.toBe(0);
    expect(await place.resourceCount('prod')).toBe(count);
    expect(await place.asSuperuser('prod', 'shop', 'select count(*) from app.orders')).toBe('1');
    return ran;
  };

  it('can’t be destroyed', async () => {
    const { stdout } = await untouched(() => place.workspace.run(['destroy', '--yes', ...files.prod]));
    expect(stdout).toContain('protected');
  });

  it('can’t be destroyed without its protection either: the seal refuses before anything is deleted', async () => {
    const { stdout } = await untouched(() =>
      place.workspace.run(['destroy', '--yes', '--skip-preview', '--ignore-protect', ...files.prod]),
    );
    expect(stdout).toMatch(/seal-prod.*deleting failed/);
    expect(stdout).not.toMatch(/ deleted /);
  });

  it('whose disk is not mounted is not provisioned anew, neither in a preview nor in an update', async () => {
    const directories = ['clusters', 'repositories'].map(name => path.join(place.home, name));
    await place.host('stop', { cluster: 'prod' });
    for (const directory of directories) fs.renameSync(directory, `${directory}-away`);
    try {
      for (const attempt of [() => place.preview(files.prod), () => place.up(files.prod)]) {
        const { code, stdout } = await attempt();
        expect(code).not.toBe(0);
        expect(stdout).toContain('its machine knows nothing of it any more');
      }
      for (const directory of directories) expect(contentOf(directory)).toEqual([]);
    } finally {
      for (const directory of directories) {
        fs.rmSync(directory, { recursive: true, force: true });
        fs.renameSync(`${directory}-away`, directory);
      }
      await place.host('start', { cluster: 'prod' });
    }
    expect(await place.asSuperuser('prod', 'shop', 'select count(*) from app.orders')).toBe('1');
  });

  it('loses no cluster that is taken out of the settings', async () => {
    const file = place.stackFile('prod', { environment: 'production', clusters: { other: {} } });
    const { stdout } = await untouched(() => place.workspace.run(['up', '--yes', ...file]));
    expect(stdout).toContain('protected');
    expect(fs.existsSync(place.clusterDirectory('other'))).toBe(false);
  });
});

describe('staging', () => {
  it('is gone after a destroy, and production isn’t', async () => {
    const { port } = outputs.staging.clusters.staging!;
    const { code, stdout } = await place.workspace.run([
      'destroy',
      '--yes',
      '--skip-preview',
      ...files.staging,
    ]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await answers(port)).toBe(false);
    // The directories themselves may be root's, which the cluster's owner can only empty.
    for (const directory of ['clusters/staging', 'repositories/staging'])
      expect(contentOf(path.join(place.home, directory))).toEqual([]);
    expect(await place.resourceCount('staging')).toBe(0);
    expect(await place.asSuperuser('prod', 'shop', 'select count(*) from app.orders')).toBe('1');
  });
});
