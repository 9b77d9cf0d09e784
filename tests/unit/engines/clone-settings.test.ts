import fs from 'node:fs';
import { controlData } from '../../../engines/host/clone/control-data';
import { preloadedLibraries, writeCloneSettings } from '../../../engines/host/clone/settings';
import { removeTempDirs, tempDir } from '../../support/temp';
import { withClone, withPrograms } from './clone-support';
import { hostContext } from './facts';

afterAll(removeTempDirs);

describe('control data', () => {
  const lines = [
    'Bytes per WAL segment:                16777216',
    'Database cluster state:               shut down',
    "Latest checkpoint's TimeLineID:       1",
    "Latest checkpoint's REDO WAL file:    000000010000000000000003",
    ...[
      'max_connections',
      'max_worker_processes',
      'max_wal_senders',
      'max_prepared_xacts',
      'max_locks_per_xact',
    ].map(name => `${name} setting: 7`),
  ];
  const says = (said: readonly string[]) =>
    withPrograms({ pg_controldata: `cat <<'END'\n${said.join('\n')}\nEND` });

  test('that lack something are a failure, not a guess', async () => {
    const { bin } = await says(lines.filter(line => !line.startsWith('Bytes'))).installation();
    await expect(controlData(bin, '/srv/data')).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'pg_controldata says nothing of “Bytes per WAL segment” for /srv/data',
    });
  });

  test('say what a clone needs at least; what the original set by ALTER SYSTEM goes aside, once', async () => {
    const { context, paths } = withClone(says(lines));
    fs.mkdirSync(paths.dataDirectory);
    await writeCloneSettings(context, paths, {}, '');
    expect(fs.readFileSync(paths.settings, 'utf8')).toMatch(/max_prepared_transactions = '?7/);
    // A backup without such a file had nothing set.
    expect(fs.readFileSync(paths.restoredOverrides, 'utf8')).toBe('');
    fs.writeFileSync(paths.restoredOverrides, "work_mem = '7MB'\n");
    await writeCloneSettings(context, paths, {}, '');
    expect(fs.readFileSync(paths.restoredOverrides, 'utf8')).toBe("work_mem = '7MB'\n");
  });
});

describe('preloaded libraries', () => {
  const managed = (settings: object) => hostContext({ source: { mode: 'managed', settings } });

  test('are those of the original, without what begins to work by itself', async () => {
    expect(await preloadedLibraries(managed({}))).toBe('');
    expect(
      await preloadedLibraries(
        managed({ shared_preload_libraries: 'pg_stat_statements, pg_cron ,auto_explain' }),
      ),
    ).toBe('pg_stat_statements, auto_explain');
  });

  test('of an adopted cluster that is down are not known: none', async () => {
    const directory = tempDir();
    const source = { mode: 'existing', dataDirectory: directory, socketDirectory: directory, port: 5432 };
    expect(await preloadedLibraries(hostContext({ source }))).toBe('');
  });
});
