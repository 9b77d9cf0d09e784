import fs from 'node:fs';
import type { Session } from '../../../engines/engine';
import type { HostContext } from '../../../engines/host/context';
import { markRestorePoint } from '../../../engines/host/restore-point';
import { withServer } from '../../../engines/host/session';
import { removeTempDirs } from '../../support/temp';
import {
  hostContext,
  infoOf,
  listedSet,
  listingOf,
  pgBackRestIs,
  pgBackRestIsReal,
  repositoryIs,
  segment,
} from './facts';

/*
 * The proof that WAL is archived, and what is said without it; tests/engine has real archivers that work and that fail.
 */

jest.mock('../../../engines/host/session', () => ({
  ...jest.requireActual<object>('../../../engines/host/session'),
  withServer: jest.fn(),
}));

afterEach(pgBackRestIsReal);
afterAll(removeTempDirs);

const mark = { lsn: '0/3000028', segment: segment(3), at: '2026-01-02T00:00:00.000000Z', failures: '2' };
const listed = `${segment(3)}-${'0'.repeat(40)}.lz4`;

/** The server marks the point, and says this of its archiver when it is asked. */
function server(archiver: { wal: string | null; failed: string; mode: string } | Error): string[] {
  const asked: string[] = [];
  const session: Session = {
    query: sql => {
      asked.push(sql);
      if (sql.includes('pg_create_restore_point')) return Promise.resolve([mark] as never[]);
      if (sql.includes('pg_switch_wal')) return Promise.resolve([]);
      return archiver instanceof Error ? Promise.reject(archiver) : Promise.resolve([archiver] as never[]);
    },
  };
  jest.mocked(withServer).mockImplementation((_server, _database, use) => use(session));
  return asked;
}

function cluster(settings: Readonly<Record<string, unknown>> = {}, archiveDeadlineSeconds = 0): HostContext {
  const context = hostContext(settings, { archiveDeadlineSeconds });
  fs.mkdirSync(context.paths.root, { recursive: true });
  return context;
}
const quiet = { wal: null, failed: '2', mode: 'on' };
const without = (archiver: Parameters<typeof server>[0]) => {
  server(archiver);
  repositoryIs({ info: infoOf([listedSet()]) });
  return expect(markRestorePoint(cluster(), 'p')).rejects;
};

describe('a restore point', () => {
  test('is proven by its segment in every repository, which is waited for', async () => {
    const asked = server(quiet);
    const directory = pgBackRestIs(`
case " $* " in
  *" info "*) cat info ;;
  *" --repo=2 "*) if [ -e second ]; then cat there; else touch second; echo '{}'; fi ;;
  *) cat there ;;
esac`);
    fs.writeFileSync(`${directory}/info`, infoOf([listedSet()]));
    fs.writeFileSync(`${directory}/there`, listingOf({ [listed]: 5 }));
    const passphrase = 'local passphrase 1';
    const repositories = ['/srv/one', '/srv/two'].map(path => ({
      type: 'local',
      path,
      encryption: true,
      passphrase,
    }));
    const context = cluster({ backups: { repositories } }, 60);
    const point = await markRestorePoint(context, 'before change 1');
    expect(point).toMatchObject({ name: 'before change 1', position: '0/3000028', timeline: 1, at: mark.at });
    expect(asked[1]).toContain('pg_switch_wal');
    expect(fs.readFileSync(`${context.paths.root}/restore-points.jsonl`, 'utf8')).toBe(
      `${JSON.stringify(point)}\n`,
    );
    await markRestorePoint(context, 'holdfast clone', false);
    expect(fs.readFileSync(`${context.paths.root}/restore-points.jsonl`, 'utf8').split('\n')).toHaveLength(2);
  });

  test('is not proven by a segment without content', async () => {
    server(quiet);
    repositoryIs({ info: infoOf([listedSet()]), archive: { [listed]: 0 } });
    await expect(markRestorePoint(cluster(), 'p')).rejects.toMatchObject({
      code: 'engine-failed',
      message: expect.stringContaining(
        `WAL segment ${segment(3)} of shop did not reach the repository`,
      ) as string,
    });
  });

  test('without proof is told with what the archiver failed for since', async () => {
    await without({ wal: segment(3), failed: '3', mode: 'on' }).toThrow(
      `archiving ${segment(3)} fails (3 times)`,
    );
    await without({ wal: segment(1), failed: '2', mode: 'on' }).toThrow(
      'reported no failure, it is slow or hangs',
    );
    await without(quiet).toThrow('reported no failure, it is slow or hangs');
    await without({ ...quiet, mode: 'off' }).toThrow('archive_mode is off');
    await without(new Error('the server went away')).toThrow('the server went away');
  });

  test('has a name that PostgreSQL keeps whole', async () => {
    for (const name of ['', 'x'.repeat(64), 'ä'.repeat(32)])
      await expect(markRestorePoint(cluster(), name)).rejects.toMatchObject({ code: 'configuration' });
  });

  test('can’t be proven by a repository that can’t be read', async () => {
    server(quiet);
    const unreadable = (info: string) => {
      repositoryIs({ info });
      return expect(markRestorePoint(cluster(), 'p')).rejects;
    };
    const repo = (code: number) => [
      { cipher: 'none', key: 1, status: { code, message: 'wrong passphrase' } },
    ];
    await unreadable(infoOf([], { archive: [], repo: repo(99) })).toThrow('can’t be read: wrong passphrase');
    await unreadable(infoOf([], { archive: [], repo: repo(0) })).toThrow('can’t be read: ok');
  });
});
