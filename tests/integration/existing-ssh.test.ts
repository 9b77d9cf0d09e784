import fs from 'node:fs';
import path from 'node:path';
import { startForeignCluster, type ForeignCluster } from '../support/foreign-cluster';
import { run, type Ran } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { removeTempDirs, tempDir } from '../support/temp';
import { startSudoMachine, type Machine } from './ssh-support';
import { Place, rowsOf, type Outputs } from './stack-support';

/*
 * What the README says of one’s own server: a production cluster that exists already, on another machine, reached over SSH and
 * sudo, adopted through the gate. Nothing of Holdfast was ever on that machine.
 */
const onlyAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

/** As it shall be, but for the login of its application. */
const theirs = `
  create role shop_owner;
  create role shop_objects;
  create role old_app login password 'of the application';
  create database shop owner shop_owner;
  \\connect shop
  create schema app authorization shop_objects;
  set role shop_objects;
  create table app.orders (id bigint generated always as identity primary key, item text);
  insert into app.orders (item) select 'hat' from generate_series(1, 1000);
`;

let foreign: ForeignCluster;
let machine: Machine;
let place: Place;

const settings = (roles: object) => ({
  environment: 'production',
  clusters: {
    prod: {
      connection: machine.connection(),
      source: {
        mode: 'existing',
        dataDirectory: foreign.dataDirectory,
        socketDirectory: foreign.directory,
        port: foreign.port,
      },
      databases: { shop: roles },
    },
  },
});
const file = (roles: object) => place.stackFile('prod', settings(roles));
const declared = { applicationRoles: ['shop_web'] };
const wider = { ...declared, readOnlyRoles: ['shop_report'] };
const imports = [
  'import prod-catalog-shop',
  'import prod-catalog-shop-app',
  'import prod-catalog-shop_objects',
  'import prod-catalog-shop_owner',
];
const importsIn = (steps: readonly string[]) => steps.filter(step => step.startsWith('import ')).sort();

/** As a person does, in a directory with the stack file. */
function holdfast(...args: string[]): Promise<Ran> {
  const project = tempDir(0o700);
  fs.writeFileSync(path.join(project, 'Pulumi.yaml'), 'name: holdfast\nruntime: nodejs\n');
  fs.copyFileSync(file(declared).at(-1)!, path.join(project, 'Pulumi.prod.yaml'));
  const program = path.join(repositoryRoot, 'bin/holdfast.mjs');
  return run(process.execPath, [program, '--home', place.home, ...args], { cwd: project });
}

function succeeded(ran: Ran): Ran {
  if (ran.code !== 0) throw new Error(`it ended with ${ran.code}:\n${ran.stdout}\n${ran.stderr}`);
  return ran;
}

onlyAsRoot('a cluster that exists on another machine', () => {
  beforeAll(async () => {
    foreign = await startForeignCluster();
    await foreign.psql('postgres', theirs);
    machine = await startSudoMachine();
    place = new Place();
    place.workspace.env.PULUMI_OPTION_POLICY_PACK = path.join(repositoryRoot, 'policy');
    await place.initialise('prod');
  }, 120_000);

  afterAll(async () => {
    await foreign.stop();
    await machine.stop();
    removeTempDirs();
  });

  it('is looked at by the first preview, which says what is in its way and leaves nothing there', async () => {
    const { code, stdout } = await place.preview(file({ applicationRoles: ['old_app'] }));
    expect(code).not.toBe(0);
    expect(stdout).toContain(
      'role old_app: it is somebody’s already, with a password that would be replaced',
    );
    expect(fs.readdirSync(machine.there)).toEqual([]);
    expect(fs.readdirSync(machine.login)).toEqual([]);
    const provider = "select count(*) from pg_roles where rolname = 'holdfast_provider'";
    expect(await foreign.psql('postgres', provider)).toBe('0');
  });

  it('is imported as that preview shows, by one update, which the gate lets through for an adoption', async () => {
    expect(importsIn(await place.plannedSteps(file(declared)))).toEqual(imports);
    const { stdout } = succeeded(await place.up(file(declared)));
    expect(stdout).toContain('adopt');
    expect(await place.plannedSteps(file(declared))).toEqual([]);
    const { passwords }: Outputs = await place.outputs('prod');
    const login = {
      port: foreign.port,
      database: 'shop',
      user: 'shop_web',
      password: passwords.prod!.shop_web!,
    };
    expect(await rowsOf(login, 'select count(*)::int as orders from app.orders')).toEqual([{ orders: 1000 }]);
  });

  it('is held to the gate once a backup is verified', async () => {
    succeeded(await holdfast('backup', 'prod', '--kind', 'full'));
    succeeded(await holdfast('verify', 'prod'));
    expect(succeeded(await holdfast('status')).stdout).toMatch(/prod .*fresh/);
    const { stdout } = succeeded(await place.up(file(wider)));
    expect(stdout).toMatch(/prod: before this change: restore point \S+ is in the repository/);
    expect(stdout).not.toContain('adopt');
  });

  it('is imported again when Pulumi’s state was lost, as the preview shows', async () => {
    await place.workspace.succeed(['stack', 'rm', 'prod', '--yes', '--force', '--preserve-config']);
    await place.initialise('prod');
    expect(importsIn(await place.plannedSteps(file(wider)))).toEqual([
      ...imports,
      'import prod-catalog-shop_report',
      'import prod-catalog-shop_web',
    ]);
    succeeded(await place.up(file(wider)));
    expect(await place.plannedSteps(file(wider))).toEqual([]);
  });
});
