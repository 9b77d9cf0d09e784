import fs from 'node:fs';
import path from 'node:path';
import { answers } from '../support/ports';
import { removeTempDirs } from '../support/temp';
import { startSudoMachine, type Machine } from './ssh-support';
import { Place, type Outputs } from './stack-support';

/** A cluster on a machine where one logs in as somebody who is neither root nor its owner, and becomes root by sudo. */
const onlyAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

let machine: Machine;
let place: Place;
let file: string[];
let outputs: Outputs;

const settings = (connection: object = {}) => ({
  environment: 'staging',
  clusters: { remote: { connection: machine.connection(connection) } },
});

onlyAsRoot('a cluster over SSH and sudo', () => {
  beforeAll(async () => {
    machine = await startSudoMachine();
    place = new Place();
    file = place.stackFile('staging', settings());
    await place.initialise('staging');
    const { code, stdout, stderr } = await place.up(file);
    if (code !== 0) throw new Error(`${stdout}\n${stderr}\n${machine.sshd.log()}`);
    outputs = await place.outputs('staging');
  }, 300_000);

  afterAll(async () => {
    await machine.stop();
    removeTempDirs();
  });

  it('is its owner’s, although somebody else logged in', () => {
    const ownerOf = (name: string) => fs.statSync(path.join(machine.there, name)).uid;
    const loggedIn = fs.statSync(machine.login).uid;
    expect(ownerOf('program/holdfast.cjs')).toBe(0);
    expect([0, loggedIn]).not.toContain(ownerOf('clusters/remote/data'));
    expect(fs.existsSync(path.join(machine.login, '.holdfast/holdfast.cjs'))).toBe(true);
  });

  it('has nothing to change afterwards', async () => {
    expect(await place.plannedSteps(file)).toEqual([]);
  });

  it('where sudo doesn’t let somebody become who was named is refused with one clear error', async () => {
    const other = place.stackFile('staging', settings({ sudoUser: 'postgres' }));
    const { code, stdout } = await place.preview(other);
    expect(code).not.toBe(0);
    expect(stdout).toContain('sudo: a password is required');
    expect(stdout).not.toMatch(/^\s+at /m);
  });

  it('is gone after a destroy', async () => {
    const { code, stdout } = await place.workspace.run(['destroy', '--yes', '--skip-preview', ...file]);
    expect({ code, stdout }).toMatchObject({ code: 0 });
    expect(await answers(outputs.clusters.remote!.port)).toBe(false);
    expect(await place.resourceCount('staging')).toBe(0);
  });
});
