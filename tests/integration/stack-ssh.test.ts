import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { answers, freePort } from '../support/ports';
import { startSshd, type Sshd } from '../support/sshd';
import { removeTempDirs, tempDir } from '../support/temp';
import { Place, rowsOf, type Outputs } from './stack-support';

let sshd: Sshd;
let place: Place;
let there: string;
let file: string[];
let outputs: Outputs;
const uploads = path.join(os.homedir(), '.holdfast');
const hadUploads = fs.existsSync(uploads);

const settings = (connection: object = {}) => ({
  environment: 'staging',
  clusters: {
    remote: {
      connection: {
        type: 'ssh',
        host: sshd.host,
        port: sshd.port,
        user: os.userInfo().username,
        privateKeyPath: sshd.privateKeyPath,
        hostKey: sshd.hostKey,
        home: there,
        node: process.execPath,
        ...connection,
      },
      databases: { shop: { applicationRoles: ['shop_app'] } },
    },
  },
});

beforeAll(async () => {
  sshd = await startSshd();
  place = new Place();
  there = tempDir(0o711);
  file = place.stackFile('staging', settings());
  await place.initialise('staging');
  const { code, stdout, stderr } = await place.up(file);
  if (code !== 0) throw new Error(`${stdout}\n${stderr}\n${sshd.log()}`);
  outputs = await place.outputs('staging');
}, 300_000);

afterAll(async () => {
  await place.host('unschedule', { cluster: 'remote' }, there);
  await sshd.stop();
  if (!hadUploads) fs.rmSync(uploads, { recursive: true, force: true });
  removeTempDirs();
});

describe('a cluster over SSH', () => {
  it('is made in the home on its own machine, and its roles through a tunnel', async () => {
    expect(fs.existsSync(path.join(there, 'clusters/remote/record.json'))).toBe(true);
    expect(fs.existsSync(path.join(there, 'program/holdfast.cjs'))).toBe(true);
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
    const key = fs.readFileSync(sshd.privateKeyPath, 'utf8');
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
