import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import type { Alert } from '../../core/alerts';
import type { Evidence } from '../../core/evidence';
import type { Applied } from '../../core/host-documents';
import { identityOf } from '../../engines/host/owner';
import { specify } from '../support/host-cluster';
import { until, type Ran } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { SmallDisks } from '../support/small-disks';
import { removeTempDirs, tempDir } from '../support/temp';

/*
 * Disks that become full, each a real one: that of the clones, that of the repository, and that of everything else (data, WAL,
 * logs, and what the schedule remembers). Each time: one clear error or alert, nothing is lost, and all works once there is room.
 */
jest.setTimeout(240_000);

/** Only root can mount. */
const asRoot = process.getuid?.() === 0 ? describe : describe.skip;

asRoot('a cluster whose disk becomes full', () => {
  const directory = tempDir(0o711);
  const home = path.join(directory, 'home');
  const repository = path.join(directory, 'repository');
  const clones = path.join(home, 'clusters/shop/clones');
  const alerts = path.join(directory, 'alerts.jsonl');
  const program = [process.execPath, path.join(repositoryRoot, 'bin/holdfast.mjs'), '--home', home];
  const rows = 300_000;
  let disks: SmallDisks;
  let port: number;

  const command = (...args: string[]) => disks.command(program[0]!, [...program.slice(1), ...args]);
  const holdfast = (...args: string[]): Promise<Ran> =>
    disks.run(program[0]!, [...program.slice(1), ...args]);
  const host = (verb: string, document: object): Promise<Ran> =>
    disks.run(program[0]!, [...program.slice(1), 'host', verb], { input: JSON.stringify(document) });
  const psql = (sql: string): Promise<Ran> =>
    disks.run('setpriv', [
      ...['--reuid=postgres', '--regid=postgres', '--clear-groups', '--'],
      ...['psql', '-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', path.join(home, 'clusters/shop/run')],
      ...['-p', String(port), '-d', 'postgres', '-c', sql],
    ]);

  function succeeded(ran: Ran): string {
    if (ran.code !== 0) throw new Error(`it ended with ${ran.code}:\n${ran.stdout}\n${ran.stderr}`);
    return ran.stdout;
  }

  const evidence = async () => JSON.parse(succeeded(await host('evidence', { cluster: 'shop' }))) as Evidence;

  /** Those that were sent since the last look. */
  function sent(): Alert[] {
    const lines = fs.readFileSync(alerts, 'utf8').split('\n').filter(Boolean);
    fs.truncateSync(alerts);
    return lines.map(line => JSON.parse(line) as Alert);
  }

  async function allIsWell(): Promise<void> {
    await until('what waited is archived', async () => (await evidence()).archive?.backlogSegments === 0, {
      seconds: 120,
    });
    succeeded(await holdfast('backup', 'shop'));
    const { counts } = JSON.parse(succeeded(await holdfast('verify', 'shop', '--json'))) as {
      counts: Record<string, number>;
    };
    expect(counts['postgres.public.ballast']).toBe(rows);
    expect(await evidence()).toMatchObject({ problems: [], archive: { failing: null, gaps: [] } });
  }

  beforeAll(async () => {
    const owner = identityOf('postgres');
    fs.writeFileSync(alerts, '');
    fs.chownSync(alerts, owner.uid, owner.gid);
    disks = await SmallDisks.open();
    await disks.mount(home, 4000, { uid: 0, gid: 0 });
    await disks.run('chmod', ['711', home]);
    await disks.mount(repository, 2000, owner);
    const specification = specify({
      cluster: { backups: { repositories: [{ type: 'local', path: repository }] } },
      alerts: { command: ['tee', '-a', alerts] },
    });
    const applied = succeeded(await host('apply', { specification, revision: 1 }));
    ({ port } = (JSON.parse(applied) as Applied).endpoint);
    // Text that doesn't compress.
    const text = Array.from({ length: 8 }, () => 'md5(random()::text)').join(' || ');
    succeeded(
      await psql(`create table ballast as select i, ${text} as text from generate_series(1, ${rows}) as i`),
    );
    await disks.mount(clones, 200, owner);
    succeeded(await holdfast('backup', 'shop', '--kind', 'full'));
  }, 120_000);

  afterAll(async () => {
    await host('stop', { cluster: 'shop' });
    disks.close();
    removeTempDirs();
  });

  it('refuses a clone beforehand that doesn’t fit', async () => {
    const { code, stderr } = await holdfast('clone', 'shop');
    expect(stderr).toMatch(/a clone of shop from \S+ needs 1\.\d GiB, but only 0\.2 GiB are free in /);
    expect(code).toBe(3);
    expect(succeeded(await holdfast('clones', 'shop'))).toBe('shop has no clones\n');
  });

  it('says so when that happens in the middle of a clone, and leaves nothing of it', async () => {
    await disks.resize(clones, 3000);
    const child = spawn(...command('clone', 'shop'), { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    let filling: Promise<void> | undefined;
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
      if (stderr.includes('recovering')) filling ??= disks.leave(clones, 1024 * 1024);
    });
    const [code] = (await once(child, 'close')) as [number];
    await filling;
    expect(stderr).toContain(`the disk of ${clones} became full while the clone was made`);
    expect(code).toBe(3);
    expect(succeeded(await disks.run('ls', ['-A', clones]))).toBe('');
    await disks.resize(clones, 3000);
    succeeded(await holdfast('verify', 'shop'));
  });

  it('fails a backup clearly when the repository is full, alerts, and keeps what was there', async () => {
    const before = (await evidence()).backups;
    await disks.leave(repository, 20 * 1024 * 1024);
    const { code, stderr } = await holdfast('backup', 'shop', '--kind', 'full');
    // In which words depends on how far pgBackRest came before it tried again.
    expect(stderr).toMatch(/pgbackrest backup failed .*(No space left on device|\[FileWriteError\])/);
    expect(stderr).toMatch(/→ (A disk is full, most likely the repository’s|Is the repository’s disk full)/);
    expect(code).toBe(5);
    expect((await evidence()).backups).toEqual(before);

    await holdfast('run-due', 'shop');
    expect(sent()).toContainEqual(
      expect.objectContaining({
        state: 'raised',
        key: 'repository-filling:repo1',
        message: expect.stringMatching(/^repository repo1 .* is filling: only \d %/) as string,
      }),
    );
    await disks.resize(repository, 2000);
    await allIsWell();
    await holdfast('run-due', 'shop');
    expect(sent()).toContainEqual(
      expect.objectContaining({ state: 'resolved', key: 'repository-filling:repo1' }),
    );
  });

  it('alerts when data, WAL and logs have no room left, and has lost nothing when there is some again', async () => {
    await disks.leave(home, 0);
    // Until there is no segment left that could be used again.
    const write = `select pg_logical_emit_message(true, 'test', 'written'), pg_switch_wal()`;
    for (let ran = await psql(write); ran.code === 0; ran = await psql(write));

    // As cron runs it, with its log on that disk.
    const log = path.join(home, 'clusters/shop/log/run-due.log');
    await disks.run('sh', ['-c', 'exec "$@" >>"$0" 2>&1', log, ...program, 'run-due', 'shop']);
    expect(sent()).toContainEqual(
      expect.objectContaining({
        state: 'raised',
        key: 'server-disk-filling',
        message: expect.stringMatching(
          /^the disk of the server’s WAL is filling: only 0 MB are free/,
        ) as string,
      }),
    );
    await disks.resize(home, 4000);
    succeeded(await host('start', { cluster: 'shop' }));
    await allIsWell();
  });
});
