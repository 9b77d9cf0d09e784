import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import type { AuditEntry } from '../../../jobs/audit';
import { backup } from '../../../jobs/backup';
import { rememberBreakGlass, pendingBreakGlass } from '../../../jobs/pending-break-glass';
import { removeTempDirs } from '../../support/temp';
import { fakeCluster, quietWatch } from './fake-engine';

afterAll(removeTempDirs);

function audit(directory: string): AuditEntry[] {
  return fs
    .readFileSync(path.join(directory, 'audit.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as AuditEntry);
}

const grant = {
  reason: 'repository host lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: '2026-01-15T11:00:00Z',
  expires: '2026-01-15T18:00:00Z',
};

test('a backup is taken under the lock, annotated with its change and who asked for it, and audited', async () => {
  const cluster = fakeCluster();
  const set = await backup(cluster, { kind: 'differential', changeId: 'prod@1' }, quietWatch());
  expect(set).toMatchObject({ id: 'set-new', kind: 'differential', changeId: 'prod@1' });
  expect(cluster.engine.calls).toEqual(['lock backup', 'backup differential']);
  expect(cluster.engine.annotations).toEqual([
    { changeId: 'prod@1', requestedBy: expect.stringContaining('@') as string },
  ]);
  expect(audit(cluster.directory)).toEqual([
    expect.objectContaining({
      what: 'backup differential',
      cluster: 'shop',
      changeId: 'prod@1',
      outcome: 'succeeded',
      detail: 'set-new (differential)',
    }),
  ]);
});

test('a held lock is busy, and audited as that', async () => {
  const cluster = fakeCluster();
  cluster.engine.locked = 'restore';
  await expect(backup(cluster, { kind: 'full' }, quietWatch())).rejects.toMatchObject({
    code: 'busy',
    exitCode: 6,
  });
  expect(audit(cluster.directory)).toEqual([expect.objectContaining({ outcome: 'busy' })]);
});

test('a damaged note of break-glass takes no backup away, and is recorded all the same', async () => {
  const cluster = fakeCluster();
  fs.writeFileSync(path.join(cluster.directory, 'break-glass.json'), '{');
  await backup(cluster, { kind: 'full' }, quietWatch());
  expect(cluster.engine.annotations).toMatchObject([
    { breakGlass: expect.stringContaining('grant') as string },
  ]);
});

test('a note of break-glass that can’t be read holds the backup up: it would not be on record', async () => {
  const cluster = fakeCluster();
  fs.mkdirSync(path.join(cluster.directory, 'break-glass.json'));
  await expect(backup(cluster, { kind: 'full' }, quietWatch())).rejects.toMatchObject({ code: 'EISDIR' });
  expect(cluster.engine.annotations).toEqual([]);
});

test('break-glass is recorded on the next backup, once', async () => {
  const cluster = fakeCluster();
  await rememberBreakGlass(cluster.directory, grant);
  await backup(cluster, { kind: 'full' }, quietWatch());
  await backup(cluster, { kind: 'full' }, quietWatch());
  expect(cluster.engine.annotations[0]?.breakGlass).toContain('OPS-99 (approved by ada@example.com');
  expect(cluster.engine.annotations[1]?.breakGlass).toBeUndefined();
});

test('a failed backup keeps the break-glass for the next one', async () => {
  const cluster = fakeCluster();
  await rememberBreakGlass(cluster.directory, grant);
  cluster.engine.onCall = call => {
    if (call.startsWith('backup')) throw new HoldfastError('engine-failed', 'disk full');
  };
  await expect(backup(cluster, { kind: 'full' }, quietWatch())).rejects.toThrow('disk full');
  expect(await pendingBreakGlass(cluster.directory)).toContain('OPS-99');
  expect(audit(cluster.directory)).toEqual([
    expect.objectContaining({ outcome: 'failed', detail: 'disk full' }),
  ]);
});

test('a backup that was given up is audited as interrupted', async () => {
  const cluster = fakeCluster();
  const watch = quietWatch();
  cluster.engine.onCall = call => {
    if (call.startsWith('backup')) watch.abort(new Error('interrupted by SIGINT'));
  };
  await expect(backup(cluster, { kind: 'full' }, watch)).rejects.toThrow('interrupted');
  expect(audit(cluster.directory)).toEqual([expect.objectContaining({ outcome: 'interrupted' })]);
});
