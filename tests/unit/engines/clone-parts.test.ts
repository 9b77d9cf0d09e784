import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import type { CloneRequest } from '../../../engines/engine';
import type { HostContext } from '../../../engines/host/context';
import {
  clonePaths,
  clones,
  describeClone,
  dropClone,
  writeEntry,
} from '../../../engines/host/clone/catalog';
import { controlData } from '../../../engines/host/clone/control-data';
import { checkIntegrity } from '../../../engines/host/clone/integrity';
import { endPgBackRest } from '../../../engines/host/clone/leftovers';
import { clone } from '../../../engines/host/clone/make';
import { recover } from '../../../engines/host/clone/server';
import { preloadedLibraries, writeCloneSettings } from '../../../engines/host/clone/settings';
import { removeTempDirs, tempDir } from '../../support/temp';
import {
  archived,
  filesOf,
  firstLabel,
  hostContext,
  infoOf,
  listedSet,
  manifestOf,
  pgBackRestIsReal,
  repositoryIs,
  segment,
} from './facts';

afterEach(() => {
  pgBackRestIsReal();
  jest.restoreAllMocks();
});
afterAll(removeTempDirs);

/** Programs of PostgreSQL that are these shell scripts. */
function withPrograms(programs: Readonly<Record<string, string>>, context = hostContext()): HostContext {
  const bin = tempDir();
  for (const [name, script] of Object.entries(programs))
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return { ...context, installation: () => Promise.resolve({ version: 15, bin, release: '15.8' }) };
}
const binOf = async (context: HostContext) => (await context.installation()).bin;
const quiet = () => ({ report: () => undefined, signal: new AbortController().signal });
const id = 'c-20260102-030405-9f3a';
const entry = {
  schema: 1,
  id,
  purpose: 'clone',
  createdAt: '2026-01-02T03:04:05.000Z',
  expiresAt: '2026-01-03T03:04:05.000Z',
  ready: true,
  sizeBytes: 10,
  measured: null,
} as const;

/** A cluster with the directory of one clone. */
function withClone(context = hostContext()) {
  const paths = clonePaths(context, id);
  fs.mkdirSync(paths.root, { recursive: true });
  return { context, paths };
}

describe('the clones of a cluster', () => {
  test('are none where none was made; a directory that can’t be read is not taken for none', async () => {
    const context = hostContext();
    expect(await clones(context)).toEqual([]);
    fs.mkdirSync(path.dirname(context.paths.clones), { recursive: true });
    fs.symlinkSync(context.paths.clones, context.paths.clones);
    await expect(clones(context)).rejects.toMatchObject({ code: 'ELOOP' });
  });

  test('are those that are still there: one may be dropped while they are listed', async () => {
    const { context, paths } = withClone();
    await writeEntry(paths, entry);
    const other = path.join(context.paths.clones, 'c-20260102-030405-ffff');
    fs.symlinkSync(path.join(context.paths.clones, 'dropped'), other);
    expect((await clones(context)).map(clone => clone.id)).toEqual([id]);
    fs.unlinkSync(other);
    fs.symlinkSync(other, other);
    await expect(clones(context)).rejects.toMatchObject({ code: 'ELOOP' });
  });

  test('come by age; one of which nothing can be understood is incomplete', async () => {
    const { context, paths } = withClone();
    await writeEntry(paths, entry);
    const beside = clonePaths(context, 'd-20260101-030405-9f3a');
    fs.mkdirSync(beside.root, { recursive: true });
    fs.writeFileSync(beside.entry, '{"schema":');
    fs.mkdirSync(path.join(context.paths.clones, 'd-elsewhere'));
    const found = await clones(context);
    expect(found.map(one => [one.id, one.state])).toEqual([
      [id, 'stopped'],
      ['d-20260101-030405-9f3a', 'incomplete'],
    ]);
  });

  test('whose server can’t be told from its files count as stopped', async () => {
    const { context, paths } = withClone();
    await writeEntry(paths, entry);
    fs.mkdirSync(path.join(paths.dataDirectory, 'postmaster.pid'), { recursive: true });
    expect((await describeClone(context, id)).state).toBe('stopped');
  });

  test('are only dropped when they are there, and by a name that leads nowhere else', async () => {
    const context = hostContext();
    await expect(dropClone(context, id)).rejects.toMatchObject({
      code: 'configuration',
      message: `cluster shop has no clone ${id}`,
    });
    await expect(dropClone(context, '../data')).rejects.toThrow('"../data" is not the name of a clone');
  });
});

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
    const bin = await binOf(says(lines.filter(line => !line.startsWith('Bytes'))));
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

describe('pg_amcheck', () => {
  const check = async (script: string) => {
    const context = withPrograms({ pg_amcheck: script });
    const made = await describeClone(withClone(context).context, id);
    return checkIntegrity(context, made, quiet());
  };

  test.each([
    ['finds nothing', 'echo "all is well"', []],
    [
      'finds damage',
      'echo "heap table x:"; echo; echo " tuple is broken"; exit 2',
      ['heap table x:', 'tuple is broken'],
    ],
    [
      'can’t check everything',
      'echo "pg_amcheck: error: no memory" >&2; exit 1',
      ['pg_amcheck: error: no memory'],
    ],
    ['fails without a word', 'exit 1', ['pg_amcheck ended with exit code 1']],
  ])('that %s', async (_, script, found) => {
    expect(await check(script)).toEqual(found);
  });

  test('that finds damage everywhere is cut', async () => {
    expect(await check('for i in $(seq 200); do echo "damage $i"; done; exit 2')).toHaveLength(100);
  });
});

describe('a process of pgBackRest that works for a clone', () => {
  let child: ChildProcess | undefined;
  afterEach(() => child?.kill('SIGKILL'));

  /** A process of that name; its lock file is in the directory. */
  async function working(): Promise<string> {
    const directory = tempDir();
    const program = path.join(directory, 'pgbackrest');
    fs.copyFileSync('/bin/sleep', program);
    fs.chmodSync(program, 0o755);
    child = spawn(program, ['600']);
    await once(child, 'spawn');
    fs.writeFileSync(
      path.join(directory, 'shop-restore.lock'),
      JSON.stringify({ execId: 'x', pid: child.pid }),
    );
    return directory;
  }

  test('is ended, and waited for', async () => {
    const directory = await working();
    await endPgBackRest(directory);
    expect(child?.signalCode ?? (await once(child!, 'exit'))[1]).toBe('SIGTERM');
  });

  test('that ends by itself meanwhile is no trouble', async () => {
    const directory = await working();
    const kill = jest.spyOn(process, 'kill').mockImplementationOnce(() => {
      throw new Error('ESRCH');
    });
    await endPgBackRest(directory);
    expect(kill.mock.calls.length).toBeGreaterThan(1);
  });

  test('is nobody else: neither another program of that number, nor where no number can be read', async () => {
    const directory = tempDir();
    fs.writeFileSync(path.join(directory, 'a.lock'), JSON.stringify({ pid: process.pid }));
    fs.writeFileSync(path.join(directory, 'b.lock'), 'garbage');
    fs.mkdirSync(path.join(directory, 'c.lock'));
    fs.writeFileSync(path.join(directory, 'd.txt'), JSON.stringify({ pid: process.pid }));
    const kill = jest.spyOn(process, 'kill');
    await endPgBackRest(directory);
    await endPgBackRest(path.join(directory, 'nowhere'));
    expect(kill).not.toHaveBeenCalled();
  });
});

describe('the server of a clone', () => {
  const recovering = (programs: Readonly<Record<string, string>>) => {
    const { context, paths } = withClone(withPrograms(programs));
    fs.mkdirSync(paths.socketDirectory, { recursive: true });
    return { paths, result: () => recover(context, paths, quiet()) };
  };

  test('that isn’t there is said', async () => {
    const { result } = recovering({});
    await expect(result()).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining('the clone’s server could not be started') as string,
    });
  });

  test('that ends without a word has not recovered', async () => {
    const { result } = recovering({ postgres: 'exit 0' });
    expect(await result()).toMatchObject({ fatal: 'it ended without a word', ready: false });
  });

  test('that says that it is ready, but doesn’t answer, is waited for until it ends', async () => {
    const asked = path.join(tempDir(), 'asked');
    const ready = '2026-01-02 03:04:05.000 UTC LOG:  database system is ready to accept connections';
    const { paths, result } = recovering({
      postgres: `echo '${ready}'; while [ ! -e '${asked}' ]; do sleep 0.05; done; echo '2026-01-02 03:04:06.000 UTC FATAL:  out of memory'; exit 1`,
    });
    const server = net.createServer(socket => {
      fs.writeFileSync(asked, '');
      socket.destroy();
    });
    await new Promise<void>(resolve =>
      server.listen(path.join(paths.socketDirectory, '.s.PGSQL.5432'), resolve),
    );
    try {
      expect(await result()).toMatchObject({ ready: true, fatal: 'out of memory' });
    } finally {
      await new Promise(resolve => server.close(resolve));
    }
  });
});

describe('no clone is made', () => {
  const set = listedSet();
  const request: CloneRequest = {
    target: { type: 'backup-set', id: firstLabel },
    purpose: 'clone',
    expiresAt: '2026-01-03T00:00:00.000Z',
  };
  const sound = {
    info: infoOf([set]),
    archive: { [archived(segment(2))]: 1 },
    backup: filesOf(set),
    contents: { [`backup/shop/${firstLabel}/backup.manifest`]: manifestOf(set) },
  };
  const make = (context = withPrograms({})) => clone(context, request, quiet());

  test('without a backup set, and it is said why there is none', async () => {
    repositoryIs({ info: infoOf([]) });
    await expect(make()).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'cluster shop has no backup sets: none was taken',
      hint: 'holdfast backup shop --kind full',
    });
    const repo = [{ cipher: 'none', key: 1, status: { code: 99, message: 'its disk is gone' } }];
    repositoryIs({ info: infoOf([], { repo }) });
    await expect(make()).rejects.toThrow('cluster shop has no backup sets: its disk is gone');
    repositoryIs({ info: 'garbage' });
    await expect(make()).rejects.toMatchObject({
      message: expect.stringContaining('the repository of shop can’t be read') as string,
      hint: expect.stringContaining('by hand') as string,
    });
  });

  test('where there can be no directory for it', async () => {
    repositoryIs(sound);
    const context = withPrograms({});
    fs.mkdirSync(context.paths.root, { recursive: true });
    fs.writeFileSync(context.paths.clones, 'a file');
    await expect(make(context)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('where the cluster would be restored, can’t be made') as string,
    });
  });

  test('when its restore fails; that a full disk was the reason is said, as it says nothing about the set', async () => {
    const context = withPrograms({});
    const directory = repositoryIs(sound);
    const script = path.join(directory, 'pgbackrest');
    fs.writeFileSync(
      script,
      `${fs.readFileSync(script, 'utf8')}case " $* " in *" restore "*) exit 39 ;; esac\n`,
    );
    await expect(make(context)).rejects.toMatchObject({
      code: 'engine-failed',
      hint: expect.any(String) as string,
    });
    expect(await clones(context)).toEqual([]);

    const free = (blocks: number) => ({ bavail: blocks, bsize: 1024 * 1024 }) as never;
    const plenty = free(1_000_000);
    jest
      .spyOn(fs.promises, 'statfs')
      .mockResolvedValueOnce(plenty)
      .mockResolvedValueOnce(plenty)
      .mockResolvedValue(free(1));
    await expect(make(context)).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining('became full while the clone was made') as string,
    });
    expect(await clones(context)).toEqual([]);
  });
});
