import fs from 'node:fs';
import path from 'node:path';
import { PgBackRest } from '../../../engines/host/pgbackrest/command';
import { listFiles } from '../../../engines/host/pgbackrest/repository';
import { assertReadable, ensureStanza, stanzaInfo } from '../../../engines/host/pgbackrest/stanza';
import { removeTempDirs, tempDir } from '../../support/temp';

/*
 * What no real pgBackRest can be made to do: answers that contradict themselves, exit codes without a word.
 */

const searched = process.env.PATH;
const pgbackrest = new PgBackRest('/srv/pgbackrest.conf', 'shop');

/** pgBackRest is this shell script. */
function pgBackRestIs(script: string): string {
  const directory = tempDir();
  fs.writeFileSync(path.join(directory, 'pgbackrest'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env.PATH = `${directory}:${searched}`;
  return directory;
}

afterEach(() => {
  process.env.PATH = searched;
});
afterAll(removeTempDirs);

describe('a command of pgBackRest', () => {
  test('has the configuration, no option of the environment, and log times in UTC', async () => {
    process.env.PGBACKREST_REPO1_PATH = '/elsewhere';
    try {
      pgBackRestIs('echo "$@"; echo "$TZ-$PGBACKREST_REPO1_PATH"');
      expect(await pgbackrest.run('info', ['--output=json'])).toBe(
        '--config=/srv/pgbackrest.conf --stanza=shop info --output=json\nUTC-\n',
      );
    } finally {
      delete process.env.PGBACKREST_REPO1_PATH;
    }
  });

  test.each([
    [50, 'busy'],
    [28, 'refused'],
    [44, 'refused'],
    [82, 'engine-failed'],
  ])('that ends with %i is %s, with its own words and what to do', async (exitCode, code) => {
    pgBackRestIs(
      `echo "P00   INFO: begin" >&2; echo "P00  ERROR: [0${exitCode}]: it went wrong" >&2; echo "HINT: x" >&2; exit ${exitCode}`,
    );
    await expect(pgbackrest.run('backup', [])).rejects.toMatchObject({
      code,
      message: `pgbackrest backup failed (exit code ${exitCode}): it went wrong`,
      hint: expect.any(String) as string,
    });
  });

  test.each([
    ['raised from local-1 protocol: unable to write: [28] No space left on device', /^A disk is full/],
    [
      'unable to write: [2] No such file or directory; [FileWriteError] on retry',
      /disk full or read-only\?$/,
    ],
  ])('that could not write (%s) says so, whatever it ends with', async (words, hint) => {
    pgBackRestIs(`echo "P00  ERROR: [064]: ${words}" >&2; exit 64`);
    await expect(pgbackrest.run('backup', [])).rejects.toMatchObject({
      code: 'engine-failed',
      hint: expect.stringMatching(hint) as string,
    });
  });

  test('that ends with a code that nothing is known of is told as it is', async () => {
    pgBackRestIs('echo "odd" >&2; exit 99');
    const error: unknown = await pgbackrest.run('backup', []).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'engine-failed',
      message: 'pgbackrest backup failed (exit code 99): odd',
    });
    expect((error as Error & { hint?: string }).hint).toBeUndefined();
  });

  test('that fails without a word is said so', async () => {
    pgBackRestIs('exit 25');
    await expect(pgbackrest.run('backup', [])).rejects.toThrow('(exit code 25): it said nothing');
  });

  test('that hangs is ended', async () => {
    pgBackRestIs('exec sleep 600');
    await expect(pgbackrest.run('info', [], { timeoutSeconds: 0.1 })).rejects.toMatchObject({
      timedOut: true,
    });
  });
});

describe('a stanza', () => {
  const answer = (status: number, identifier: string | null) =>
    JSON.stringify([
      {
        archive: [],
        backup: [],
        cipher: 'none',
        db: identifier === null ? [] : [{ id: 1, 'repo-key': 1, 'system-id': 0, version: '15' }],
        name: 'shop',
        repo: [{ cipher: 'none', key: 1, status: { code: status, message: 'odd' } }],
        status: { code: status, lock: { backup: { held: false } }, message: 'odd' },
      },
    ]).replace('"system-id":0', `"system-id":${identifier ?? ''}`);
  /** `info` answers the first until `stanza-create` was run, and then the second. */
  const answers = (before: string, after: string) => {
    const made = path.join(tempDir(), 'made');
    pgBackRestIs(
      `case " $* " in *" stanza-create "*) touch '${made}' ;; *) if [ -e '${made}' ]; then echo '${after}'; else echo '${before}'; fi ;; esac`,
    );
  };

  test('that is created is the cluster’s, whatever pgBackRest says of its success', async () => {
    answers(answer(1, null), answer(2, '7300000000000000001'));
    await ensureStanza(pgbackrest, '7300000000000000001');
    answers(answer(1, null), answer(1, null));
    await expect(ensureStanza(pgbackrest, '7300000000000000001')).rejects.toMatchObject({
      code: 'engine-failed',
      message: 'pgbackrest created no stanza shop in repository 1',
    });
    answers(answer(1, null), answer(2, '7300000000000000002'));
    await expect(ensureStanza(pgbackrest, '7300000000000000001')).rejects.toMatchObject({ code: 'refused' });
  });

  test('of which a repository says something else than that it isn’t there is not known to be absent', async () => {
    answers(answer(99, null), '');
    const info = await stanzaInfo(pgbackrest);
    expect(() => assertReadable(pgbackrest, info, 1)).toThrow('can’t be read: odd');
    // Nothing is said of a repository that isn't the stanza's.
    expect(() => assertReadable(pgbackrest, info, 2)).not.toThrow();
  });
});

test('files are listed in the repository and the directory that were asked for', async () => {
  const directory = pgBackRestIs(`echo "$@" >> "$0.args"; echo '{"a":{"type":"file"},"b":{"type":"path"}}'`);
  expect(await listFiles(pgbackrest, 'backup/shop')).toEqual([{ path: 'a', bytes: 0, writtenAt: 0 }]);
  await listFiles(pgbackrest, 'archive/shop', { repository: 2, filter: '^x' });
  const [first, second] = fs.readFileSync(path.join(directory, 'pgbackrest.args'), 'utf8').split('\n');
  expect(first).toContain('repo-ls --repo=1 --output=json --sort=none --recurse backup/shop');
  expect(second).toContain('repo-ls --repo=2 --output=json --sort=none --filter=^x archive/shop');
});
