import fs from 'node:fs';
import path from 'node:path';
import { answers } from '../support/ports';
import { startSshd, type Sshd } from '../support/sshd';
import { removeTempDirs, tempDir } from '../support/temp';
import { Place, type Outputs } from './stack-support';

/*
 * A cluster on a machine where one logs in as somebody who is neither root nor its owner, and becomes root by sudo: a real sshd and a
 * real sudo, in a mount namespace in which there is such a user.
 */
const onlyAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

const login = { name: 'holdfast-login', uid: 64123, home: path.join(tempDir(0o711), 'login') };
const there = tempDir(0o711);
let sshd: Sshd;
let place: Place;
let file: string[];
let outputs: Outputs;

/** Files of /etc as this machine has them, with the user added, and the directories that are to be the test's own. */
function machine(): string[] {
  const directory = tempDir(0o755);
  const inside = (name: string) => path.join(directory, name);
  const { name, uid, home } = login;
  fs.mkdirSync(home, { mode: 0o700 });
  fs.chownSync(home, uid, uid);
  for (const [file, mode, line] of [
    ['passwd', 0o644, `${name}:x:${uid}:${uid}::${home}:/bin/sh`],
    ['shadow', 0o600, `${name}:*:20000:0:99999:7:::`],
  ] as const)
    fs.writeFileSync(inside(file), `${fs.readFileSync(`/etc/${file}`, 'utf8')}${line}\n`, { mode });
  for (const name of ['sudoers.d', 'cron.d']) fs.mkdirSync(inside(name));
  fs.writeFileSync(inside('sudoers.d/login'), `${name} ALL=(root) NOPASSWD: ALL\n`, { mode: 0o440 });
  const mounts = ['passwd', 'shadow', 'sudoers.d', 'cron.d'].map(
    name => `mount --bind "$0/${name}" /etc/${name}`,
  );
  return ['unshare', '--mount', 'sh', '-c', [...mounts, 'exec "$@"'].join(' && '), directory];
}

const settings = (connection: object = {}) => ({
  environment: 'staging',
  clusters: {
    remote: {
      connection: {
        type: 'ssh',
        host: sshd.host,
        port: sshd.port,
        user: login.name,
        sudoUser: 'root',
        privateKeyPath: sshd.privateKeyPath,
        hostKey: sshd.hostKey,
        home: there,
        node: process.execPath,
        ...connection,
      },
    },
  },
});

onlyAsRoot('a cluster over SSH and sudo', () => {
  beforeAll(async () => {
    sshd = await startSshd({ through: machine() });
    place = new Place();
    file = place.stackFile('staging', settings());
    await place.initialise('staging');
    const { code, stdout, stderr } = await place.up(file);
    if (code !== 0) throw new Error(`${stdout}\n${stderr}\n${sshd.log()}`);
    outputs = await place.outputs('staging');
  }, 300_000);

  afterAll(async () => {
    await sshd.stop();
    removeTempDirs();
  });

  it('is its owner’s, although somebody else logged in', () => {
    const ownerOf = (name: string) => fs.statSync(path.join(there, name)).uid;
    expect(ownerOf('program/holdfast.cjs')).toBe(0);
    expect([0, login.uid]).not.toContain(ownerOf('clusters/remote/data'));
    expect(fs.existsSync(path.join(login.home, '.holdfast/holdfast.cjs'))).toBe(true);
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
