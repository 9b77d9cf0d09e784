import fs from 'node:fs';
import path from 'node:path';
import { firstCommitSince } from '../../../engines/host/evidence-server';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const segment = '000000010000000000000003';

/** What is made of a pg_waldump that does this. */
function ask(script: string): Promise<string | null> {
  const [programs, dataDirectory] = [tempDir(), tempDir()];
  fs.writeFileSync(path.join(programs, 'pg_waldump'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  fs.mkdirSync(path.join(dataDirectory, 'pg_wal'));
  fs.writeFileSync(path.join(dataDirectory, 'pg_wal', segment), '');
  return firstCommitSince(programs, dataDirectory, segment, 0x3000100n, 16 * 1024 * 1024);
}

test('the first commit is found, whatever comes after it', async () => {
  const line = 'rmgr: Transaction … desc: COMMIT 2026-01-02 03:04:05.678901 UTC; inval msgs';
  expect(await ask(`echo '${line}'; echo 'could not open file' >&2; exit 1`)).toBe(
    '2026-01-02T03:04:05.678Z',
  );
});

test.each([
  'exit 0',
  'echo "pg_waldump: error: could not find a valid record after 0/3000000" >&2; exit 1',
  'echo "pg_waldump: error: error in WAL record at 0/3000028: invalid record length" >&2; exit 1',
])('no commit until the end of the WAL is no change: %s', async script => {
  expect(await ask(script)).toBeNull();
});

test.each(['echo "pg_waldump: error: could not open file" >&2; exit 1', 'exit 2', 'kill -9 $$'])(
  'WAL that can’t be read is not the same as no change: %s',
  async script => {
    await expect(ask(script)).rejects.toThrow(`could not read the WAL from ${segment} on`);
  },
);
