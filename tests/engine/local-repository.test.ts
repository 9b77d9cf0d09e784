import fs from 'node:fs';
import path from 'node:path';
import type { Engine } from '../../engines/engine';
import { PgBackRest } from '../../engines/host/pgbackrest/command';
import { localRepository } from '../../engines/host/pgbackrest/local-repository';
import { listFiles, readText, type RepositoryFile } from '../../engines/host/pgbackrest/repository';
import { engineOf, ownPort, patient, rows } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * Repositories on this machine, of which the first is plain and the second encrypted: read from their directories, and by
 * pgBackRest.
 */

let cluster: TestCluster;
let engine: Engine;
let direct: PgBackRest;
/** With the same configuration, told in a way that is left to pgBackRest. */
let asked: PgBackRest;

beforeAll(async () => {
  const second = { type: 'local', path: tempDir(), encryption: true, passphrase: 'correct horse battery' };
  cluster = await createCluster({
    cluster: { ...(await ownPort()), backups: { repositories: [{ type: 'local' }, second] } },
  });
  engine = engineOf(cluster);
  await rows(engine, 'create table items as select generate_series(1, 1000) as id');
  await engine.backup('full', {}).wait(patient());
  await engine.backup('incremental', {}).wait(patient());
  direct = new PgBackRest(cluster.paths.configuration, 'shop');
  const file = path.join(tempDir(), 'pgbackrest.conf');
  const text = fs.readFileSync(cluster.paths.configuration, 'utf8');
  fs.writeFileSync(file, text.replace('[global]', '[global]\nrepo1-type=posix\nrepo2-type=posix'), {
    mode: 0o600,
  });
  asked = new PgBackRest(file, 'shop');
  // A set as older settings made it: a file for each file, compressed in another way.
  await asked.run('backup', ['--repo=1', '--type=full', '--no-repo1-bundle', '--compress-type=gz']);
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

const sorted = (files: readonly RepositoryFile[]) =>
  [...files].sort((one, other) => (one.path < other.path ? -1 : 1));

/** What both say of a directory of a repository, which is the same. */
async function both(directory: string, options: Parameters<typeof listFiles>[2] = {}) {
  const files = sorted(await listFiles(direct, directory, options));
  expect(files).toEqual(sorted(await listFiles(asked, directory, options)));
  return files;
}

it('is read from its directory by one of them only', async () => {
  expect(await localRepository(direct.configurationFile, 1)).toEqual({
    directory: cluster.paths.repository,
    encrypted: false,
  });
  expect(await localRepository(direct.configurationFile, 2)).toMatchObject({ encrypted: true });
  expect(await localRepository(asked.configurationFile, 1)).toBeNull();
});

describe.each([1, 2])('of repository %i, read from its directory', repository => {
  it('the sets have the files that pgBackRest lists', async () => {
    const files = await both('backup/shop', { repository });
    expect(files.map(file => file.path)).toContain('backup.info');
    expect(files.filter(file => file.path.includes('/bundle/')).length).toBeGreaterThan(0);
    expect(files.some(file => /\/pg_data\/.*\.gz$/.test(file.path))).toBe(repository === 1);
  });

  it('the archive has the segments that pgBackRest lists, each by its name too', async () => {
    const files = await both('archive/shop', { repository });
    const segment = files.find(file => /\/[0-9A-F]{24}-/.test(file.path))!;
    const [, name = ''] = /\/([0-9A-F]{24})-/.exec(segment.path) ?? [];
    const found = await both(`archive/shop/${path.dirname(segment.path)}`, {
      repository,
      filter: `^${name}-[0-9a-f]{40}(\\.(gz|lz4|zst|bz2))?$`,
    });
    expect(found).toEqual([{ ...segment, path: path.basename(segment.path) }]);
  });

  it('what isn’t there has no files', async () => {
    expect(await both('backup/none', { repository })).toEqual([]);
  });
});

it('links and what else lies in a set are listed like that too', async () => {
  const set = path.join(cluster.paths.repository, 'backup/shop/latest/.');
  fs.symlinkSync('/etc', path.join(set, 'link'));
  fs.mkdirSync(path.join(set, 'größe'));
  fs.writeFileSync(path.join(set, 'größe/a b"c'), 'x');
  expect((await both('backup/shop')).filter(file => file.path.endsWith('größe/a b"c'))).toHaveLength(1);
});

it('a manifest is what pgBackRest prints of it, in clear', async () => {
  const [manifest] = (await both('backup/shop')).filter(file => file.path.endsWith('/backup.manifest'));
  const text = await readText(direct, `backup/shop/${manifest!.path}`);
  expect(text).toContain('[backrest]');
  expect(text).toBe(await readText(asked, `backup/shop/${manifest!.path}`));
  await expect(readText(direct, 'backup/shop/none')).rejects.toThrow('none');
  await expect(readText(asked, 'backup/shop/none')).rejects.toThrow('none');
});

describe('a repository of which a part', () => {
  it('can’t be read is unknown, whoever lists it', async () => {
    const archive = path.join(cluster.paths.repository, 'archive/shop/15-1');
    fs.chmodSync(archive, 0o000);
    try {
      for (const pgbackrest of [direct, asked])
        await expect(listFiles(pgbackrest, 'archive/shop')).rejects.toMatchObject({ code: 'engine-failed' });
      const { problems } = await engine.evidence();
      expect(problems.map(({ what }) => what)).toContainEqual(
        expect.stringMatching(
          /^the repository of shop can’t be read: .*archive\/shop can’t be listed: EACCES/,
        ),
      );
    } finally {
      fs.chmodSync(archive, 0o750);
    }
    expect((await engine.evidence()).problems).toEqual([]);
  });

  it('is gone as a whole has no files', async () => {
    const { repository } = cluster.paths;
    fs.renameSync(repository, `${repository}.away`);
    try {
      expect(await both('backup/shop')).toEqual([]);
      expect(await both('archive/shop')).toEqual([]);
    } finally {
      fs.renameSync(`${repository}.away`, repository);
    }
  });
});
