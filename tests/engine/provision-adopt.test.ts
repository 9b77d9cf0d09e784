import fs from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { HostSpecification } from '../../core/specification';
import { pathsOf } from '../../engines/host/layout';
import { archiveCommand } from '../../engines/host/postgres/settings';
import { inspect } from '../../engines/host/provision/inspect';
import { start, stop } from '../../engines/host/provision/power';
import { erase, remove, seal } from '../../engines/host/provision/remove';
import { newestSupported } from '../../engines/host/provision/versions';
import { runningPostmaster } from '../../engines/host/postgres/data-directory';
import { withServer } from '../../engines/host/session';
import { adoptable, type Adoptable } from '../support/adoption';
import { createCluster, specify } from '../support/host-cluster';
import { answers } from '../support/ports';
import { removeTempDirs, tempDir } from '../support/temp';

const own = os.userInfo().username;
const report = (): void => undefined;

afterAll(removeTempDirs);

describe('a cluster of somebody else', () => {
  let foreign: Adoptable;
  beforeAll(async () => {
    foreign = await adoptable();
  });
  afterAll(async () => {
    await foreign.stop();
  });

  const refused = async (specification: HostSpecification, code: string, message: RegExp): Promise<void> => {
    await expect(foreign.adopt(specification)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await foreign.record()).toBeNull();
  };

  it('is not restarted for archive_mode unless that is allowed', async () => {
    await refused(foreign.declared(), 'refused', /archiving is off.*needs a restart/);
    expect(await foreign.setting('archive_mode')).toBe('off');
  });

  it('is not adopted while another tool archives, without a reason to replace it', async () => {
    await foreign.query(`alter system set archive_mode = 'on'`);
    await foreign.query(`alter system set archive_command = 'wal-g wal-push %p'`);
    await foreign.control('restart', '-m', 'fast');
    await refused(foreign.declared({ allowRestart: true }), 'refused', /another tool archives.*wal-g/);
    expect(await foreign.setting('archive_command')).toBe('wal-g wal-push %p');
  });

  it('is not adopted with tablespaces', async () => {
    const location = path.join(foreign.directory, 'space');
    await fs.mkdir(location, { mode: 0o700 });
    await foreign.query(`create tablespace fast location '${location}'`);
    await refused(
      foreign.declared({ replaceArchiveCommand: 'moving' }),
      'refused',
      /has tablespaces \(fast\)/,
    );
    await foreign.query('drop tablespace fast');
  });

  it('is not adopted at a port that it does not listen on, or where there is none', async () => {
    await refused(foreign.declared({ port: 5999 }), 'configuration', /listens on port \d+, not 5999/);
    const empty = tempDir(0o700);
    await refused(foreign.declared({ dataDirectory: empty }), 'refused', /there is no cluster in/);
  });

  it('is not adopted as a standby', async () => {
    await foreign.control('stop', '-m', 'fast');
    await fs.writeFile(path.join(foreign.dataDirectory, 'standby.signal'), '');
    await foreign.control('start');
    await refused(foreign.declared({ allowRestart: true }), 'refused', /it is a standby/);
    await fs.rm(path.join(foreign.dataDirectory, 'standby.signal'));
    await foreign.control('restart', '-m', 'fast');
  });

  it('is not started', async () => {
    await foreign.control('stop', '-m', 'fast');
    await refused(foreign.declared(), 'engine-failed', /is not running/);
    await expect(start(foreign.declared(), foreign.home)).rejects.toMatchObject({ code: 'refused' });
    await foreign.control('start');
  });

  it('is adopted with its data, without a restart or an edited file, and is given back', async () => {
    const { home, adopt, declared, query, setting, configuration, dataDirectory } = foreign;
    const before = [await fs.readFile(configuration, 'utf8'), (await runningPostmaster(dataDirectory))?.pid];
    const specification = declared(
      { replaceArchiveCommand: 'moving from WAL-G' },
      { databases: { shop: {} } },
    );
    const { applied, changed, restartPending } = await adopt(specification);
    expect(changed).toEqual([
      'settings.archive_command',
      'settings.archive_timeout',
      'pgbackrest.conf',
      'provider role',
    ]);
    expect(restartPending).toEqual([]);
    expect(applied.endpoint).toEqual({ host: '127.0.0.1', port: foreign.port });
    expect([await fs.readFile(configuration, 'utf8'), (await runningPostmaster(dataDirectory))?.pid]).toEqual(
      before,
    );
    expect(await foreign.record()).toMatchObject({ phase: 'adopting', mode: 'existing' });
    expect(await setting('archive_command')).toBe(archiveCommand(pathsOf(home, specification)));
    expect(await query('select count(*)::int as rows from theirs')).toEqual([{ rows: 1000 }]);

    expect(await adopt(specification)).toMatchObject({ changed: [], restartPending: [] });
    await expect(stop(specification, home)).rejects.toMatchObject({ code: 'refused' });
    await query(`alter system set archive_command = '/bin/true'`);
    expect((await inspect(specification, { home })).drift).toEqual([
      { what: 'settings.archive_command', expected: expect.any(String) as string, found: '/bin/true' },
    ]);
    expect((await adopt(specification)).changed).toEqual(['settings.archive_command']);

    await remove(specification, { home, report });
    expect(await foreign.record()).toBeNull();
    expect(await setting('archive_command')).not.toContain('holdfast');
    expect(await query('select count(*)::int as rows from theirs')).toEqual([{ rows: 1000 }]);
  });
});

describe('a cluster that never archived', () => {
  it('is adopted by the one restart that was allowed; given back, it keeps no WAL for ever', async () => {
    const foreign = await adoptable();
    try {
      const specification = foreign.declared({ allowRestart: true });
      const { changed, restartPending } = await foreign.adopt(specification);
      expect(changed).toContain('restarted');
      expect(restartPending).toEqual([]);
      expect(await foreign.setting('archive_mode')).toBe('on');
      expect(await foreign.query('select count(*)::int as rows from theirs')).toEqual([{ rows: 1000 }]);
      await remove(specification, { home: foreign.home, report });
      expect(await foreign.setting('archive_command')).toBe('/bin/true');
    } finally {
      await foreign.stop();
    }
  });

  it('can’t have its databases managed when its pg_hba.conf keeps the provider out', async () => {
    const foreign = await adoptable();
    try {
      await fs.writeFile(path.join(foreign.dataDirectory, 'pg_hba.conf'), 'local all all peer\n');
      const specification = foreign.declared({ allowRestart: true }, { databases: { shop: {} } });
      await expect(foreign.adopt(specification)).rejects.toMatchObject({
        code: 'check-failed',
        hint: expect.stringContaining('host all holdfast_provider 127.0.0.1/32 scram-sha-256') as string,
      });
    } finally {
      await foreign.stop();
    }
  });
});

describe('removal', () => {
  it('of production is refused, and the seal holds, as long as it has data', async () => {
    const cluster = await createCluster();
    const { home, name, specification, paths } = cluster;
    try {
      await expect(remove(specification, { home, report })).rejects.toMatchObject({ exitCode: 3 });
      const disguised = specify({ environment: 'staging' });
      await expect(remove(disguised, { home, report })).rejects.toMatchObject({ exitCode: 3 });
      await expect(seal([name], home)).rejects.toMatchObject({ exitCode: 3 });
      expect(await runningPostmaster(paths.dataDirectory)).not.toBeNull();

      await fs.writeFile(paths.record, 'garbage');
      await expect(seal([name], home)).rejects.toMatchObject({ code: 'engine-failed' });
      await fs.rm(paths.record);
      await expect(seal([name], home)).rejects.toMatchObject({ exitCode: 3 });
      await expect(erase(specification, { home, report, keepRepository: true })).rejects.toMatchObject({
        code: 'refused',
        message: expect.stringMatching(/holds another cluster/) as string,
      });
      expect(await runningPostmaster(paths.dataDirectory)).not.toBeNull();
    } finally {
      await cluster.drop();
    }
  });

  it('of production by name of a person keeps the repository, and the seal passes then', async () => {
    const { home, name, specification, paths, outcome } = await createCluster();
    const server = { ...paths, port: outcome.applied.endpoint.port, superuser: own };
    const [row] = await withServer(server, 'postgres', async session => {
      await session.query('create table last_words ()');
      return session.query<{ last: string }>('select pg_walfile_name(pg_current_wal_lsn()) as last');
    });
    await erase(specification, { home, report, keepRepository: true });
    const archive = await fs.readdir(path.join(paths.repository, 'archive'), { recursive: true });
    expect(archive.some(file => path.basename(file).startsWith(row!.last))).toBe(true);
    await expect(fs.access(paths.root)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await fs.readdir(path.join(paths.repository, 'backup'))).toEqual([name]);
    await seal([name], home);
    await erase(specification, { home, report, keepRepository: true });
  });

  it('of staging leaves nothing, and is no error again', async () => {
    const { home, name, specification, paths, outcome } = await createCluster({ environment: 'staging' });
    expect(await answers(outcome.applied.endpoint.port)).toBe(true);
    await seal([name], home);
    await remove(specification, { home, report });
    expect(await answers(outcome.applied.endpoint.port)).toBe(false);
    await expect(fs.access(paths.root)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await fs.readdir(paths.repository)).toEqual([]);
    await remove(specification, { home, report });
  });
});

describe('pgBackRest', () => {
  it.each([
    ['1.29', null],
    ['2.40', null],
    ['2.45', 15],
    ['2.48', 16],
    ['2.56.0', 17],
    ['2.58.0', 18],
    ['3.0', 18],
    ['garbage', null],
  ])('%s backs up PostgreSQL up to %s', (release, newest) => {
    expect(newestSupported(release)).toBe(newest);
  });
});
