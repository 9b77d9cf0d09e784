import fs from 'node:fs/promises';
import path from 'node:path';
import type { Engine } from '../../engines/engine';
import { runningPostmaster } from '../../engines/host/postgres/data-directory';
import { findInstallation } from '../../engines/host/postgres/installation';
import { startServer, stopServer } from '../../engines/host/postgres/server';
import { engineOf, patient, rows, soon } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { freePort } from '../support/ports';
import { succeed } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

afterAll(removeTempDirs);

const contents = async (engine: Engine): Promise<string[]> =>
  (await rows<{ what: string }>(engine, 'select what from log order by what')).map(({ what }) => what);

/** Takes a cluster back over an insert that it has had since. */
async function goBack(engine: Engine): Promise<string> {
  await rows(engine, 'create table log (what text)');
  await rows(engine, `insert into log values ('good')`);
  await engine.backup('full', {}).wait(patient());
  await engine.markRestorePoint('good');
  await rows(engine, `insert into log values ('bad')`);
  const clone = await engine
    .clone({ target: { type: 'restore-point', name: 'good' }, purpose: 'restore', expiresAt: soon() })
    .wait(patient());
  expect((await engine.clones()).map(({ id }) => id)).toEqual([clone.id]);
  const { keptAside } = await engine.replaceWith(clone).wait(patient());
  expect(await contents(engine)).toEqual(['good']);
  expect(await engine.clones()).toEqual([]);
  return keptAside;
}

describe('a cluster whose data is on a disk of its own', () => {
  const memory = '/dev/shm';
  let directory: string | undefined;
  let cluster: TestCluster | undefined;

  afterAll(async () => {
    await cluster?.drop();
    if (directory === undefined) return;
    const data = path.join(directory, 'data');
    const { bin } = await findInstallation(15);
    if ((await runningPostmaster(data)) !== null)
      await succeed(path.join(bin, 'pg_ctl'), ['stop', '-D', data, '-m', 'immediate']);
    await fs.rm(directory, { recursive: true, force: true });
  });

  it('is restored and kept there', async () => {
    directory = await fs.mkdtemp(path.join(memory, 'holdfast-test-'));
    const home = tempDir(0o700);
    expect((await fs.stat(memory)).dev).not.toBe((await fs.stat(home)).dev);
    cluster = await createCluster({
      home: path.join(home, 'home'),
      cluster: {
        source: { mode: 'managed', port: await freePort(), dataDirectory: path.join(directory, 'data') },
      },
    });
    const keptAside = await goBack(engineOf(cluster));
    expect(keptAside.startsWith(path.join(directory, 'data.holdfast', 'aside'))).toBe(true);
    expect(await fs.readdir(path.join(keptAside, 'data'))).toContain('PG_VERSION');
  });
});

describe('a cluster whose data directory can’t be renamed', () => {
  it('is refused before anything is restored or stopped', async () => {
    const cluster = await createCluster();
    const { dataDirectory } = cluster.paths;
    const server = { ...cluster.paths, port: cluster.outcome.applied.endpoint.port };
    const engine = engineOf(cluster);
    const elsewhere = await fs.mkdtemp('/dev/shm/holdfast-test-');
    const installation = await findInstallation(15);
    try {
      await engine.backup('full', {}).wait(patient());
      await stopServer(installation, cluster.paths);
      await succeed('cp', ['-a', dataDirectory, path.join(elsewhere, 'data')]);
      await fs.rename(dataDirectory, `${dataDirectory}-away`);
      // To the system a link to another disk looks as a mounted disk does.
      await fs.symlink(path.join(elsewhere, 'data'), dataDirectory);
      await startServer(installation, cluster.paths);
      const refusal = { code: 'refused', message: expect.stringContaining('is a mount point, or') as string };
      await expect(engine.halt()).rejects.toMatchObject(refusal);
      expect(await runningPostmaster(dataDirectory)).toMatchObject({ port: server.port });
      const restored = engine.clone({ target: { type: 'latest' }, purpose: 'restore', expiresAt: soon() });
      await expect(restored.wait(patient())).rejects.toMatchObject(refusal);
      expect(await engine.clones()).toEqual([]);
    } finally {
      await stopServer(installation, cluster.paths, 'immediate');
      await fs.rm(elsewhere, { recursive: true });
      await cluster.drop();
    }
  });
});

describe('an adopted cluster', () => {
  let base: string;
  let cluster: TestCluster | undefined;

  const control = async (...args: string[]): Promise<string> =>
    succeed(path.join((await findInstallation(15)).bin, 'pg_ctl'), [
      '-D',
      path.join(base, 'data'),
      '-w',
      '-s',
      ...args,
    ]);

  afterAll(async () => {
    await control('stop', '-m', 'immediate').catch(() => undefined);
    await cluster?.drop();
  });

  it('whose configuration is elsewhere starts with it again', async () => {
    base = tempDir(0o700);
    const { bin } = await findInstallation(15);
    const data = path.join(base, 'data');
    const port = await freePort();
    await succeed(path.join(bin, 'initdb'), ['-D', data, '-k', '-A', 'peer', '--no-instructions']);
    const configuration = path.join(base, 'etc', 'postgresql.conf');
    await fs.mkdir(path.dirname(configuration));
    await fs.rename(path.join(data, 'pg_hba.conf'), path.join(base, 'etc', 'pg_hba.conf'));
    await fs.rm(path.join(data, 'postgresql.conf'));
    await fs.writeFile(
      configuration,
      [
        `data_directory = '${data}'`,
        `hba_file = '${path.join(base, 'etc', 'pg_hba.conf')}'`,
        `unix_socket_directories = '${base}'`,
        `listen_addresses = ''`,
        `port = ${port}`,
        `archive_mode = on`,
        `work_mem = '7MB'`,
        '',
      ].join('\n'),
    );
    await control('-l', path.join(base, 'log'), '-o', `-c config_file=${configuration}`, 'start');
    cluster = await createCluster({
      home: path.join(base, 'home'),
      cluster: { source: { mode: 'existing', dataDirectory: data, port, socketDirectory: base } },
    });
    const engine = engineOf(cluster);
    expect((await engine.evidence()).phase).toBe('adopting');
    await goBack(engine);
    const settings = await rows<{ work: string; file: string }>(
      engine,
      `select current_setting('work_mem') as work, current_setting('config_file') as file`,
    );
    expect(settings).toEqual([{ work: '7MB', file: configuration }]);
    expect(await engine.drift()).toEqual([]);
    const evidence = await engine.evidence();
    expect(evidence.problems).toEqual([]);
    expect(evidence.archive?.failing).toBeNull();
  });
});
