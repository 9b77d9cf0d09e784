import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describeClone } from '../../../engines/host/clone/catalog';
import { checkIntegrity } from '../../../engines/host/clone/integrity';
import { endPgBackRest } from '../../../engines/host/clone/leftovers';
import { recover } from '../../../engines/host/clone/server';
import { removeTempDirs, tempDir } from '../../support/temp';
import { id, quiet, withClone, withPrograms } from './clone-support';

/* The processes that work for a clone: those of pgBackRest, its server, and what checks it. */

afterEach(() => jest.restoreAllMocks());
afterAll(removeTempDirs);

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
