import fs from 'node:fs';
import path from 'node:path';
import { ensureSystemPackages, type Need } from '../../../jobs/up/system-packages';
import { removeTempDirs, tempDir } from '../../support/temp';

/*
 * apt-get, sudo and the rest are scripts that write down how they were called: what real ones do is only known on a machine where
 * PostgreSQL is not installed yet.
 */
const { PATH } = process.env;

afterEach(() => {
  process.env.PATH = PATH;
  jest.restoreAllMocks();
});
afterAll(removeTempDirs);

/** A machine with nothing but these programs; `sudo` runs what it is given. */
function machine(programs: Readonly<Record<string, string>>, { root = false } = {}) {
  const directory = tempDir();
  const calls = path.join(directory, 'calls');
  const bin = path.join(directory, 'bin');
  fs.mkdirSync(bin);
  fs.symlinkSync('/usr/bin/env', path.join(bin, 'env'));
  for (const [name, body] of Object.entries({ install: '', rm: '', rmdir: '', dpkg: '', ...programs }))
    fs.writeFileSync(
      path.join(bin, name),
      `#!/bin/sh\necho "${name} $*" >>'${calls}'\n${body.replaceAll('DIRECTORY', directory)}\n`,
      { mode: 0o755 },
    );
  process.env.PATH = bin;
  jest.spyOn(process, 'getuid').mockReturnValue(root ? 0 : 1000);
  const need = (what: string, apt: string): Need => ({
    what,
    apt,
    brew: null,
    isThere: () => fs.existsSync(path.join(directory, apt)),
  });
  return {
    calls: () => (fs.existsSync(calls) ? fs.readFileSync(calls, 'utf8').trim().split('\n') : []),
    needs: [need('PostgreSQL 15 (server)', 'postgresql-15'), need('pgbackrest', 'pgbackrest')],
  };
}

const said: string[] = [];
const installing = (signal = new AbortController().signal) => {
  said.length = 0;
  return { report: (line: string) => void said.push(line), signal, hasTerminal: false };
};

const sudo = `case "$*" in "--non-interactive true") exit 0;; esac; exec "$@"`;
const installs = `case "$*" in *install*) echo "Setting up pgbackrest"; : >DIRECTORY/postgresql-15; : >DIRECTORY/pgbackrest;; esac`;
const byHand = {
  code: 'configuration',
  hint: 'As root: apt-get install --no-install-recommends postgresql-15 pgbackrest; then run this again.',
};

test('what is there is not installed', async () => {
  const { calls, needs } = machine({ 'apt-get': installs, sudo });
  await ensureSystemPackages(
    needs.map(need => ({ ...need, isThere: () => true })),
    installing(),
  );
  expect({ calls: calls(), said }).toEqual({ calls: [], said: [] });
});

test('who is not root and has no sudo is told what to install', async () => {
  const { calls, needs } = machine({ 'apt-get': installs });
  await expect(ensureSystemPackages(needs, installing())).rejects.toMatchObject({
    ...byHand,
    message: 'PostgreSQL 15 (server), pgbackrest must be installed: you are not root, and there is no sudo',
  });
  expect({ calls: calls(), said }).toEqual({ calls: [], said: [] });
});

test('sudo that wants a password is not asked where nobody can answer', async () => {
  const { calls, needs } = machine({ 'apt-get': installs, sudo: 'exit 1' });
  await expect(ensureSystemPackages(needs, installing())).rejects.toMatchObject({
    ...byHand,
    message: expect.stringMatching(/wants a password, and there is no terminal/) as string,
  });
  expect(calls()).toEqual(['sudo --non-interactive true']);
});

test('sudo that refuses somebody is believed', async () => {
  const { calls, needs } = machine({
    'apt-get': installs,
    sudo: 'echo "ada is not in the sudoers file."; exit 1',
  });
  await expect(ensureSystemPackages(needs, { ...installing(), hasTerminal: true })).rejects.toMatchObject({
    ...byHand,
    message: expect.stringMatching(/sudo refused: ada is not in the sudoers file/) as string,
  });
  expect(calls()).toEqual(['sudo --non-interactive true', 'sudo true']);
});

test.each([
  ['with sudo', false],
  ['as root', true],
])('packages are installed %s, and Debian is kept from making a cluster meanwhile', async (_, root) => {
  const { calls, needs } = machine({ 'apt-get': installs, ...(root ? {} : { sudo }) }, { root });
  await ensureSystemPackages(needs, installing());
  const setting = '/etc/postgresql-common/createcluster.d/holdfast.conf';
  expect(calls().filter(call => !call.startsWith('sudo'))).toEqual([
    'dpkg --configure -a',
    expect.stringMatching(/^apt-get .* update$/),
    expect.stringMatching(new RegExp(`^install -D --mode=0644 .*/holdfast.conf ${setting}$`)),
    expect.stringMatching(/^apt-get .* install --yes --no-install-recommends postgresql-15 pgbackrest$/),
    `rm --force ${setting}`,
    'rmdir --ignore-fail-on-non-empty /etc/postgresql-common/createcluster.d /etc/postgresql-common',
  ]);
  expect(said).toContain('installing PostgreSQL 15 (server), pgbackrest');
  expect(said).toContain('  Setting up pgbackrest');
});

test('an installation that was killed is finished by the next run, although all programs are there', async () => {
  const { calls, needs } = machine({ 'apt-get': installs }, { root: true });
  const exists = fs.existsSync;
  const spied = jest
    .spyOn(fs, 'existsSync')
    .mockImplementation(file => String(file).endsWith('createcluster.d/holdfast.conf') || exists(file));
  const there = needs.map(need => ({ ...need, isThere: () => true }));
  await ensureSystemPackages(there, installing());
  expect(calls()).toContainEqual(expect.stringMatching(/^apt-get .* install .* postgresql-15 pgbackrest$/));

  spied.mockRestore();
  const before = calls().length;
  await ensureSystemPackages(there, installing());
  expect(calls()).toHaveLength(before);
});

test('who can’t finish an installation that was killed goes on with the programs that are there', async () => {
  const { needs } = machine({ 'apt-get': installs, sudo: 'exit 1' });
  const exists = fs.existsSync;
  jest
    .spyOn(fs, 'existsSync')
    .mockImplementation(file => String(file).endsWith('createcluster.d/holdfast.conf') || exists(file));
  await ensureSystemPackages(
    needs.map(need => ({ ...need, isThere: () => true })),
    installing(),
  );
  expect(said.at(-1)).toMatch(/interrupted installation is not finished: sudo wants a password/);
});

test('apt-get that fails is quoted, and what was to keep Debian from making a cluster is removed', async () => {
  const { calls, needs } = machine({ 'apt-get': 'echo "E: $*: no network" >&2; exit 100', sudo });
  await expect(ensureSystemPackages(needs, installing())).rejects.toMatchObject({
    ...byHand,
    message: expect.stringMatching(
      /apt-get update failed:\nE: .*no network\napt-get install postgresql-15 pgbackrest failed:\nE: .*no network/,
    ) as string,
  });
  expect(calls().some(call => call.startsWith('rm --force /etc/postgresql-common'))).toBe(true);
});

test('interrupted, it leaves nothing that decides about what others install', async () => {
  const interrupt = new AbortController();
  const { calls, needs } = machine({
    'apt-get': 'case "$*" in *install*) echo "Unpacking it"; exec /bin/sleep 60;; esac',
    sudo,
  });
  const options = installing(interrupt.signal);
  const report = (line: string) => {
    if (line.includes('Unpacking it')) interrupt.abort();
  };
  await expect(ensureSystemPackages(needs, { ...options, report })).rejects.toMatchObject({
    name: 'AbortError',
  });
  expect(calls().some(call => call.startsWith('rm --force /etc/postgresql-common'))).toBe(true);
});

test('packages that don’t bring what is needed are told of', async () => {
  const { needs } = machine({ 'apt-get': '', sudo });
  await expect(ensureSystemPackages(needs, installing())).rejects.toMatchObject({
    message: expect.stringMatching(/lie where they are not looked for/) as string,
  });
});

test('a system without apt-get is told what is missing', async () => {
  const { needs } = machine({ sudo });
  await expect(ensureSystemPackages(needs, installing())).rejects.toMatchObject({
    message: expect.stringMatching(
      /^PostgreSQL 15 \(server\), pgbackrest must be installed: this system has no/,
    ) as string,
    hint: expect.stringContaining('package manager') as string,
  });
});
