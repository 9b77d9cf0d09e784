import fs from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import type { HostSpecification } from '../../core/specification';
import { pathsOf, type ClusterPaths } from '../../engines/host/layout';
import { withClusterLock } from '../../engines/host/lock';
import { systemIdentifierOf } from '../../engines/host/postgres/data-directory';
import { apply, type ApplyOutcome } from '../../engines/host/provision/apply';
import { inspect } from '../../engines/host/provision/inspect';
import { withNewPort } from '../../engines/host/provision/port';
import { start, stop } from '../../engines/host/provision/power';
import { removeJournal, writeJournal } from '../../engines/host/replace/journal';
import { readRecord, updateRecord } from '../../engines/host/record';
import { createCluster, dropHome, specify, type TestCluster } from '../support/host-cluster';
import { freePort } from '../support/ports';
import { removeTempDirs, tempDir } from '../support/temp';

const homes: string[] = [];
const newHome = (): string => {
  const home = path.join(tempDir(0o700), 'home');
  homes.push(home);
  return home;
};
const applyIn = (home: string, specification: HostSpecification): Promise<ApplyOutcome> =>
  apply({ specification, revision: 1 }, { home, program: null, report: () => undefined });

afterAll(async () => {
  for (const home of homes) await dropHome(home);
  removeTempDirs();
});

describe('a cluster with data', () => {
  let cluster: TestCluster;
  const moved = (): string => `${cluster.paths.dataDirectory}-moved`;
  beforeAll(async () => {
    const home = newHome();
    cluster = await createCluster({ home });
  });

  it.each([
    ['another environment', { environment: 'staging' as const }, /can't be declared staging/],
    [
      'another data directory',
      { cluster: { source: { mode: 'managed', dataDirectory: '/tmp/elsewhere-holdfast' } } },
      /data is never moved/,
    ],
    ['another version', { cluster: { source: { mode: 'managed', version: 14 } } }, /is PostgreSQL 15/],
    [
      'another source',
      { cluster: { source: { mode: 'existing', dataDirectory: '/var/lib/nowhere', port: 5432 } } },
      /was created by Holdfast/,
    ],
  ])('refuses %s and stays as it is', async (_, overrides, message) => {
    await expect(applyIn(cluster.home, specify(overrides))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(message) as string,
    });
    expect((await inspect(cluster.specification, { home: cluster.home })).running).toBe(true);
  });

  it('is never initialised anew when its data is not there', async () => {
    await stop(cluster.specification, cluster.home);
    await fs.rename(cluster.paths.dataDirectory, moved());
    try {
      await expect(applyIn(cluster.home, cluster.specification)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/is not in .* not initialised anew/) as string,
      });
      await expect(start(cluster.specification, cluster.home)).rejects.toMatchObject({ code: 'refused' });
      expect(await fs.readdir(cluster.paths.dataDirectory)).toEqual([]);
    } finally {
      await fs.rmdir(cluster.paths.dataDirectory);
      await fs.rename(moved(), cluster.paths.dataDirectory);
    }
  });

  it('is not replaced by another one in its directory', async () => {
    await updateRecord(cluster.paths, { systemIdentifier: '7000000000000000001' });
    try {
      await expect(applyIn(cluster.home, cluster.specification)).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/holds another cluster/) as string,
      });
      await expect(start(cluster.specification, cluster.home)).rejects.toMatchObject({ code: 'refused' });
    } finally {
      const { systemIdentifier } = cluster.outcome.applied;
      await updateRecord(cluster.paths, { systemIdentifier });
    }
  });

  it('is not started while a restore has it', async () => {
    await withClusterLock(cluster.paths.lock, 'restore', 'restore of a test', async () => {
      await expect(applyIn(cluster.home, cluster.specification)).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining('restore of a test') as string,
      });
    });
  });

  it('is left alone while a restore of it is not finished', async () => {
    const context = { paths: cluster.paths };
    await writeJournal(context, { state: 'halted', wasRunning: true, swap: null });
    await expect(applyIn(cluster.home, cluster.specification)).rejects.toMatchObject({ code: 'busy' });
    await removeJournal(context);
  });

  it('says who has its port when that is in use', async () => {
    const server = net.createServer();
    const { port } = cluster.outcome.applied.endpoint;
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
    try {
      await expect(applyIn(cluster.home, cluster.specification)).rejects.toMatchObject({
        code: 'configuration',
        message: `port ${port} of cluster shop is in use on 127.0.0.1 by something else`,
      });
    } finally {
      await new Promise(resolve => server.close(resolve));
    }
  });

  it('is not started while its first apply is unfinished: only an apply completes it', async () => {
    const { home, paths, specification } = cluster;
    const { appliedAt } = (await readRecord(paths))!;
    await updateRecord(paths, { appliedAt: null });
    try {
      expect(await start(specification, home)).toBe(false);
      await expect(fs.access(path.join(paths.dataDirectory, 'postmaster.pid'))).rejects.toThrow('ENOENT');
    } finally {
      await updateRecord(paths, { appliedAt });
    }
  });

  it('comes up by the next apply after all of that, with the same identity', async () => {
    const { applied, changed } = await applyIn(cluster.home, cluster.specification);
    expect(changed).toEqual(['started']);
    expect(applied).toEqual(cluster.outcome.applied);
  });

  it('is not provisioned again when its home is lost but its repository is not', async () => {
    const home = newHome();
    const repositories = [{ type: 'local', path: cluster.paths.repository }];
    await expect(applyIn(home, specify({ cluster: { backups: { repositories } } }))).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(
        /has 0 backup sets of a cluster shop \(system identifier \d+\)/,
      ) as string,
    });
    expect(await readRecord(pathsOf(home, cluster.specification))).toBeNull();
  });

  it('has a record that counts: an unreadable one is an error, never a first provision', async () => {
    const { record } = cluster.paths;
    const text = await fs.readFile(record, 'utf8');
    await fs.writeFile(record, text.slice(0, 40));
    try {
      for (const attempt of [
        () => applyIn(cluster.home, cluster.specification),
        () => inspect(cluster.specification, { home: cluster.home }),
      ])
        await expect(attempt()).rejects.toMatchObject({
          code: 'engine-failed',
          message: expect.stringContaining(record) as string,
        });
    } finally {
      await fs.writeFile(record, text);
    }
  });
});

describe('a new cluster', () => {
  it('that does not exist is not provisioned, which is no error', async () => {
    const home = newHome();
    expect(await inspect(specify(), { home })).toEqual({
      cluster: 'shop',
      provisioned: false,
      revision: 0,
      drift: [],
      needsRestart: [],
      restartAllowed: false,
      existing: [],
      applied: null,
      phase: 'none',
      running: false,
      port: null,
    });
    await expect(fs.access(home)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses a port that is in use, and makes nothing', async () => {
    const home = newHome();
    const port = await freePort();
    const server = net.createServer();
    await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
    try {
      const specification = specify({ cluster: { source: { mode: 'managed', port } } });
      await expect(applyIn(home, specification)).rejects.toMatchObject({
        code: 'configuration',
        exitCode: 2,
      });
      expect(await fs.readdir(pathsOf(home, specification).dataDirectory)).toEqual([]);
      expect(await readRecord(pathsOf(home, specification))).toBeNull();
    } finally {
      await new Promise(resolve => server.close(resolve));
    }
  });

  it('gets a port of its own beside others that are provisioned at the same time, or stopped', async () => {
    const home = newHome();
    const request = { home, wanted: undefined, addresses: ['127.0.0.1'] };
    const take = (cluster: string): Promise<number> =>
      withNewPort({ ...request, cluster }, async port => {
        const paths = pathsOf(home, specify({ name: cluster }));
        await fs.mkdir(paths.root, { recursive: true });
        const template = await readRecord(pathsOf(homes[0]!, specify()));
        await fs.writeFile(paths.record, JSON.stringify({ ...template!, cluster, port }));
        return port;
      });
    const taken = await Promise.all(['one', 'two', 'three'].map(take));
    expect(new Set([...taken, await take('four')]).size).toBe(4);
  });

  it.each([
    ['files of somebody else', 'notes.txt', /isn't empty: notes\.txt/],
    ['a cluster of somebody else', 'PG_VERSION', /holds a cluster that Holdfast did not create/],
  ])('is not put over %s', async (_, name, message) => {
    const [home, dataDirectory] = [newHome(), tempDir(0o700)];
    await fs.writeFile(path.join(dataDirectory, name), '15\n');
    const specification = specify({ cluster: { source: { mode: 'managed', dataDirectory } } });
    await expect(applyIn(home, specification)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringMatching(message) as string,
    });
    expect(await fs.readdir(dataDirectory)).toEqual([name]);
  });

  it('of a version that is not installed is refused, naming what to install', async () => {
    const specification = specify({ cluster: { source: { mode: 'managed', version: 14 } } });
    await expect(applyIn(newHome(), specification)).rejects.toMatchObject({
      code: 'configuration',
      hint: expect.stringContaining('apt install postgresql-14') as string,
    });
  });
});

describe('an initialisation that was interrupted', () => {
  const nursery = (paths: ClusterPaths): string => path.join(paths.dataDirectory, '.holdfast-initdb-test');
  /** Everything but PG_VERSION back into the nursery, as if the move had only begun. */
  const interrupt = async (cluster: TestCluster, moved: readonly string[]): Promise<void> => {
    await stop(cluster.specification, cluster.home);
    await fs.mkdir(nursery(cluster.paths), { mode: 0o700 });
    for (const name of await fs.readdir(cluster.paths.dataDirectory))
      if (!moved.includes(name) && name !== '.holdfast-initdb-test')
        await fs.rename(
          path.join(cluster.paths.dataDirectory, name),
          path.join(nursery(cluster.paths), name),
        );
  };

  it.each([
    ['before the first file was moved', []],
    ['after the control file was moved', ['global', 'base']],
  ])('%s is finished with the identity on record', async (_, moved) => {
    const cluster = await createCluster({ home: newHome() });
    await interrupt(cluster, moved);
    const { applied, changed } = await applyIn(cluster.home, cluster.specification);
    expect(applied.systemIdentifier).toBe(cluster.outcome.applied.systemIdentifier);
    expect(changed).toEqual(['initialised', 'started']);
    expect(await fs.readdir(cluster.paths.dataDirectory)).not.toContain('.holdfast-initdb-test');
  });

  it('before its identity was recorded is begun anew', async () => {
    const home = newHome();
    const specification = specify();
    const paths = pathsOf(home, specification);
    await fs.mkdir(path.join(nursery(paths), 'base'), { recursive: true, mode: 0o700 });
    await fs.writeFile(path.join(nursery(paths), 'PG_VERSION'), '15\n');
    const { changed, applied } = await applyIn(home, specification);
    expect(changed).toContain('initialised');
    expect(await systemIdentifierOf(paths.dataDirectory)).toBe(applied.systemIdentifier);
  });
});
