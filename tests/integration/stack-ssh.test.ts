import fs from 'node:fs';
import path from 'node:path';
import { answers, freePort } from '../support/ports';
import { removeTempDirs } from '../support/temp';
import { startMachine, type Machine } from './ssh-support';
import { Place, rowsOf, type Outputs } from './stack-support';

let machine: Machine;
let place: Place;
let file: string[];
let outputs: Outputs;

const settings = (connection: object = {}) => ({
  environment: 'staging',
  clusters: {
    remote: {
      connection: machine.connection(connection),
      databases: { shop: { applicationRoles: ['shop_app'] } },
    },
  },
});

beforeAll(async () => {
  machine = await startMachine();
  place = new Place();
  file = place.stackFile('staging', settings());
  await place.initialise('staging');
  const { code, stdout, stderr } = await place.up(file);
  if (code !== 0) throw new Error(`${stdout}\n${stderr}\n${machine.sshd.log()}`);
  outputs = await place.outputs('staging');
}, 300_000);

afterAll(async () => {
  await place.host('unschedule', { cluster: 'remote' }, machine.there);
  await machine.stop();
  removeTempDirs();
});

describe('a cluster over SSH', () => {
  it('is made in the home on its own machine, and its roles through a tunnel', async () => {
    expect(fs.existsSync(path.join(machine.there, 'clusters/remote/record.json'))).toBe(true);
    expect(fs.existsSync(path.join(machine.there, 'program/holdfast.cjs'))).toBe(true);
    expect(fs.existsSync(path.join(place.home, 'clusters'))).toBe(false);
    const login = {
      port: outputs.clusters.remote!.port,
      database: 'shop',
      user: 'shop_app',
      password: outputs.passwords.remote!.shop_app!,
    };
    expect(await rowsOf(login, 'select current_user')).toEqual([{ current_user: 'shop_app' }]);
  });

  it('has nothing to change afterwards', async () => {
    expect(await place.plannedSteps(file)).toEqual([]);
  });

  it('keeps the private key out of the clear state', () => {
    const key = fs.readFileSync(machine.sshd.privateKeyPath, 'utf8');
    const [, line = ''] = key.split('\n');
    expect(line.length).toBeGreaterThan(40);
    expect(place.stateText()).not.toContain(line);
  });

  it('that shows another host key is refused with one clear error', async () => {
    const hostKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9pYkZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0';
    const { code, stdout } = await place.preview(place.stackFile('staging', settings({ hostKey })));
    expect(code).not.toBe(0);
    expect(stdout).toContain('connection.hostKey');
    expect(stdout).not.toMatch(/^\s+at /m);
  });

  it('that can’t be reached is refused with one clear error', async () => {
    const port = await freePort();
    const { code, stdout } = await place.preview(place.stackFile('staging', settings({ port })));
    expect(code).not.toBe(0);
    expect(stdout).toContain("can't be reached");
    expect(stdout).not.toMatch(/^\s+at /m);
  });

  it('is gone after a destroy, although the tunnel is closed by then', async () => {
    const { code, stdout } = await place.workspace.run(['destroy', '--yes', '--skip-preview', ...file]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await answers(outputs.clusters.remote!.port)).toBe(false);
    expect(await place.resourceCount('staging')).toBe(0);
  });
});
