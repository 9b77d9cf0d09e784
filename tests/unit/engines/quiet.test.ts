import fs from 'node:fs';
import path from 'node:path';
import { PgBackRest } from '../../../engines/host/pgbackrest/command';
import { run } from '../../../engines/host/process';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const script = (text: string) => ['-c', text];

describe('a program that is watched for progress', () => {
  it('is ended when it has printed nothing for too long', async () => {
    const hangs = run('sh', script('echo begun; echo why >&2; sleep 600'), {
      timeoutSeconds: 600,
      quietSeconds: 1,
    });
    await expect(hangs).rejects.toMatchObject({
      code: 'engine-failed',
      timedOut: true,
      message: 'sh said nothing for 1 s and was stopped:\nwhy',
    });
  });

  it('may take longer, as long as it prints something', async () => {
    const slow = run('sh', script('for i in 1 2 3 4 5 6 7; do echo $i; sleep 1; done'), {
      timeoutSeconds: 600,
      quietSeconds: 5,
    });
    expect((await slow).stdout.split('\n')).toHaveLength(8);
  });
});

it('a pgBackRest that hangs is given up', async () => {
  const directory = tempDir();
  fs.writeFileSync(path.join(directory, 'pgbackrest'), '#!/bin/sh\necho begun\nsleep 600\n', { mode: 0o755 });
  const before = process.env.PATH;
  process.env.PATH = `${directory}:${before ?? ''}`;
  const lines: string[] = [];
  try {
    const hangs = new PgBackRest('/none', 'shop').run('backup', [], {
      onLine: line => lines.push(line),
      quietSeconds: 1,
    });
    await expect(hangs).rejects.toThrow('pgbackrest said nothing for 1 s and was stopped');
  } finally {
    process.env.PATH = before;
  }
  expect(lines).toEqual(['begun']);
});
