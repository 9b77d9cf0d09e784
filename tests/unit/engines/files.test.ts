import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { inspect } from 'node:util';
import { readCredentials } from '../../../engines/host/credentials';
import { exists, isAbsent, readIfThere, writeAtomically } from '../../../engines/host/files';
import { clusterPaths, ensureSocketDirectory, home, socketDirectory } from '../../../engines/host/layout';
import { updateRecord } from '../../../engines/host/record';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);
afterEach(() => jest.restoreAllMocks());

describe('a file', () => {
  test('that isn’t there is absent; one that can’t be read isn’t', async () => {
    const directory = tempDir();
    const file = path.join(directory, 'file');
    expect(await readIfThere(file)).toBeNull();
    expect(await exists(file)).toBe(false);
    fs.writeFileSync(file, 'x');
    expect(await readIfThere(file)).toBe('x');
    expect(await exists(file)).toBe(true);
    expect(await readIfThere(path.join(file, 'below'))).toBeNull();
    await expect(readIfThere(directory)).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(exists(path.join(directory, 'x'.repeat(300)))).rejects.toMatchObject({
      code: 'ENAMETOOLONG',
    });
    expect(isAbsent(null)).toBe(false);
  });

  test('is written as a whole or not at all', async () => {
    const directory = tempDir();
    const file = path.join(directory, 'file');
    await writeAtomically(file, 'x');
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    fs.mkdirSync(path.join(directory, 'taken'));
    await expect(writeAtomically(path.join(directory, 'taken'), 'y')).rejects.toMatchObject({
      code: 'EISDIR',
    });
    expect(fs.readdirSync(directory)).toEqual(['file', 'taken']);
  });
});

describe('Holdfast’s home', () => {
  const asUser = (uid: number) => jest.spyOn(process, 'getuid').mockReturnValue(uid);

  test('is where HOLDFAST_HOME says, else root’s or the user’s own', () => {
    asUser(0);
    expect(home({ HOLDFAST_HOME: '/srv/../srv/holdfast' })).toBe('/srv/holdfast');
    expect(home({ HOLDFAST_HOME: '' })).toBe('/var/lib/holdfast');
    asUser(1000);
    expect(home({ XDG_DATA_HOME: '/data' })).toBe('/data/holdfast');
    const own = path.join(os.homedir(), '.local', 'share', 'holdfast');
    expect(home({ XDG_DATA_HOME: 'relative' })).toBe(own);
    expect(home({})).toBe(own);
    const before = process.env.HOLDFAST_HOME;
    process.env.HOLDFAST_HOME = '/srv/elsewhere';
    try {
      expect(home()).toBe('/srv/elsewhere');
    } finally {
      if (before === undefined) delete process.env.HOLDFAST_HOME;
      else process.env.HOLDFAST_HOME = before;
    }
  });
});

describe('a socket’s directory', () => {
  test('is a short one elsewhere where the wanted one is too long, or can’t be in a list', () => {
    expect(socketDirectory('/srv/run')).toBe('/srv/run');
    for (const wanted of [`/srv/${'x'.repeat(100)}`, '/srv/a,b', '/srv/"quoted"'])
      expect(socketDirectory(wanted)).toMatch(/^\/tmp\/holdfast-socket-[0-9a-f]{16}$/);
  });

  test('is a short one on macOS already where Linux has room for four bytes more', () => {
    const wanted = `/${'x'.repeat(106 - '/.s.PGSQL.65535'.length)}`;
    expect(socketDirectory(wanted)).toBe(wanted);
    const { platform } = process;
    Object.defineProperty(process, 'platform', { value: 'darwin' });
    try {
      expect(socketDirectory(wanted)).toMatch(/^\/tmp\//);
    } finally {
      Object.defineProperty(process, 'platform', { value: platform });
    }
  });

  test('is private, and nobody else’s', async () => {
    const directory = path.join(tempDir(), 'run');
    await ensureSocketDirectory(directory);
    expect(fs.statSync(directory).mode & 0o777).toBe(0o700);
    const link = path.join(tempDir(), 'run');
    fs.symlinkSync(directory, link);
    await expect(ensureSocketDirectory(link)).rejects.toMatchObject({ code: 'refused' });
    jest.spyOn(process, 'getuid').mockReturnValue(fs.statSync(directory).uid + 1);
    await expect(ensureSocketDirectory(directory)).rejects.toMatchObject({ code: 'refused' });
  });
});

test('a record that is gone is not changed into another one', async () => {
  const paths = clusterPaths(tempDir(), 'shop');
  await expect(updateRecord(paths, { port: 5440 })).rejects.toMatchObject({
    code: 'engine-failed',
    hint: 'Run `pulumi up`, which writes it.',
  });
});

test('passwords that can’t be read are neither made anew nor quoted', async () => {
  const credentials = path.join(tempDir(), 'credentials.json');
  expect(await readCredentials({ credentials })).toBeNull();
  fs.writeFileSync(credentials, 'hunter2');
  const error: unknown = await readCredentials({ credentials }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'engine-failed' });
  expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
});
