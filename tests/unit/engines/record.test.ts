import fs from 'node:fs/promises';
import path from 'node:path';
import { clusterPaths } from '../../../engines/host/layout';
import { readRecord, updateRecord, writeRecord } from '../../../engines/host/record';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

describe('the record of a cluster', () => {
  it('keeps what two jobs change at once', async () => {
    const paths = clusterPaths(tempDir(0o700), 'shop');
    await fs.mkdir(path.dirname(paths.record), { recursive: true });
    await writeRecord(paths, {
      schema: 1,
      cluster: 'shop',
      environment: 'production',
      mode: 'managed',
      phase: 'provisioning',
      systemIdentifier: null,
      dataDirectory: paths.dataDirectory,
      pgVersion: 15,
      port: null,
      revision: 0,
      createdAt: '2026-01-15T09:22:00.000Z',
      appliedAt: null,
      establishedAt: null,
      archivingBefore: null,
    });
    const at = '2026-01-15T09:23:00.000Z';
    await Promise.all([
      updateRecord(paths, { phase: 'established', establishedAt: at }),
      updateRecord(paths, { port: 5441 }),
      updateRecord(paths, { revision: 2 }),
      updateRecord(paths, { appliedAt: at }),
    ]);
    expect(await readRecord(paths)).toMatchObject({
      phase: 'established',
      establishedAt: at,
      port: 5441,
      revision: 2,
      appliedAt: at,
    });
  });

  it('that is gone is not made anew of a change', async () => {
    const paths = clusterPaths(tempDir(0o700), 'shop');
    await expect(updateRecord(paths, { port: 5441 })).rejects.toMatchObject({ code: 'engine-failed' });
    await expect(fs.access(paths.root)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
