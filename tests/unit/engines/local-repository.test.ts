import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { renderConfiguration } from '../../../engines/host/pgbackrest/configuration';
import { filesBelow, localRepository } from '../../../engines/host/pgbackrest/local-repository';
import { removeTempDirs, tempDir } from '../../support/temp';
import { hostContext } from './facts';

/*
 * A repository that is read without pgBackRest; tests/engine/local-repository.test.ts compares it with what that says.
 */

afterEach(() => jest.restoreAllMocks());
afterAll(removeTempDirs);

/** Where repository 1 is, by a configuration file with these lines. */
async function told(...lines: readonly string[]): ReturnType<typeof localRepository> {
  const file = path.join(tempDir(), 'pgbackrest.conf');
  fs.writeFileSync(file, ['[global]', ...lines, '', '[shop]', 'pg1-path=/srv/data', ''].join('\n'));
  return localRepository(file, 1);
}

describe('a repository is read from its directory', () => {
  test('when that is on this machine, each by its number', async () => {
    const passphrase = 'local passphrase 1';
    const repositories = [
      { type: 'local' },
      { type: 'local', path: '/srv/the second=2', encryption: true, passphrase },
    ];
    const { specification, paths } = hostContext({ backups: { repositories } });
    const file = path.join(tempDir(), 'pgbackrest.conf');
    fs.writeFileSync(file, renderConfiguration(specification, paths, 5440));
    expect(await localRepository(file, 1)).toEqual({ directory: paths.repository, encrypted: false });
    expect(await localRepository(file, 2)).toEqual({ directory: '/srv/the second=2', encrypted: true });
    expect(await localRepository(file, 3)).toBeNull();
  });

  test('however its line is written by hand', async () => {
    expect(await told(' repo1-path = /srv/one ', '#repo1-path=/srv/two', 'repo11-path=/srv/three')).toEqual({
      directory: '/srv/one',
      encrypted: false,
    });
  });

  test.each([
    [['repo1-path=/srv/one', 'repo1-type=s3']],
    [['repo1-path=/srv/one', 'repo1-type = posix']],
    [['repo1-path=/srv/one', 'repo1-host=backup.example.com']],
    [['repo1-path=/srv/one', 'repo1-path=/srv/two']],
    [['repo2-path=/srv/two']],
    [[]],
  ])('not with %j, which is left to pgBackRest', async lines => {
    expect(await told(...lines)).toBeNull();
  });

  test('nor without a configuration that can be read: pgBackRest says why', async () => {
    expect(await localRepository(path.join(tempDir(), 'none'), 1)).toBeNull();
  });
});

describe('the files of a directory', () => {
  test('are those at any depth, with the whole seconds of when they were written', async () => {
    const directory = path.join(tempDir(), 'größer');
    fs.mkdirSync(path.join(directory, 'a/b'), { recursive: true });
    fs.mkdirSync(path.join(directory, 'empty'));
    for (const name of ['top', 'a/one', 'a/b/ä two']) {
      fs.writeFileSync(path.join(directory, name), name);
      fs.utimesSync(path.join(directory, name), 1_767_225_660.9, 1_767_225_660.9);
    }
    const found = await filesBelow(directory);
    expect([...found].sort((one, other) => one.bytes - other.bytes)).toEqual([
      { path: 'top', bytes: 3, writtenAt: 1_767_225_660 },
      { path: 'a/one', bytes: 5, writtenAt: 1_767_225_660 },
      { path: 'a/b/ä two', bytes: 10, writtenAt: 1_767_225_660 },
    ]);
    expect((await filesBelow(directory, /^(top|a|one)$/)).map(file => file.path)).toEqual(['top']);
  });

  test('are counted whatever bytes their names are', async () => {
    const directory = tempDir();
    fs.writeFileSync(Buffer.concat([Buffer.from(`${directory}/caf`), Buffer.from([0xe9])]), 'latin1');
    expect(await filesBelow(directory)).toMatchObject([{ path: 'caf\ufffd', bytes: 6 }]);
  });

  test('are neither links, nor what they lead to, nor anything else', async () => {
    const directory = tempDir();
    fs.mkdirSync(path.join(directory, 'set'));
    fs.writeFileSync(path.join(directory, 'set/file'), '');
    fs.symlinkSync('set', path.join(directory, 'latest'));
    fs.symlinkSync('set/file', path.join(directory, 'link'));
    execFileSync('mkfifo', [path.join(directory, 'pipe')]);
    expect((await filesBelow(directory)).map(file => file.path)).toEqual(['set/file']);
  });

  test('are none when it isn’t there; one that is removed while they are listed is none of them', async () => {
    const directory = tempDir();
    expect(await filesBelow(path.join(directory, 'none'))).toEqual([]);
    for (const name of ['a', 'b']) fs.writeFileSync(path.join(directory, name), '');
    jest.spyOn(fs, 'lstatSync').mockReturnValueOnce(undefined);
    expect(await filesBelow(directory)).toHaveLength(1);
  });

  test('that can’t be read are not none', async () => {
    const file = path.join(tempDir(), 'file');
    fs.writeFileSync(file, '');
    await expect(filesBelow(file)).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringMatching(/file can’t be listed: ENOTDIR/) as string,
      hint: expect.any(String) as string,
    });
  });
});
