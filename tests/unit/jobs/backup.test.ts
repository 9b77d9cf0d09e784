import { HoldfastError } from '../../../core/errors';
import { backup } from '../../../jobs/backup';
import { rememberBreakGlass, pendingBreakGlass } from '../../../jobs/pending-break-glass';
import { fakeCluster, quietWatch } from './fake-engine';

const unreadable = (call: string) => {
  if (call.startsWith('read')) throw new Error('it can’t be read');
};

const grant = {
  reason: 'repository host lost, ticket OPS-99',
  approver: 'ada@example.com',
  issued: '2026-01-15T11:00:00Z',
  expires: '2026-01-15T18:00:00Z',
};

test('a backup is taken under the lock, annotated with its change and who asked for it, and audited', async () => {
  const cluster = fakeCluster();
  const set = await backup(cluster, { kind: 'differential', changeId: 'prod@1' }).wait(quietWatch());
  expect(set).toMatchObject({ id: 'set-new', kind: 'differential', changeId: 'prod@1' });
  expect(cluster.engine.calls).toEqual(['lock backup', 'backup differential']);
  expect(cluster.engine.annotations).toEqual([
    { changeId: 'prod@1', requestedBy: expect.stringContaining('@') as string },
  ]);
  expect(cluster.engine.memory.audit).toEqual([
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
  await expect(backup(cluster, { kind: 'full' }).wait(quietWatch())).rejects.toMatchObject({
    code: 'busy',
    exitCode: 6,
  });
  expect(cluster.engine.memory.audit).toEqual([expect.objectContaining({ outcome: 'busy' })]);
});

test('a damaged note of break-glass takes no backup away, and is recorded all the same', async () => {
  const cluster = fakeCluster();
  cluster.engine.memory.texts.set('break-glass', '{');
  await backup(cluster, { kind: 'full' }).wait(quietWatch());
  expect(cluster.engine.annotations).toMatchObject([
    { breakGlass: expect.stringContaining('grant') as string },
  ]);
});

test('a note of break-glass that can’t be read holds the backup up: it would not be on record', async () => {
  const cluster = fakeCluster();
  cluster.engine.memory.onCall = unreadable;
  await expect(backup(cluster, { kind: 'full' }).wait(quietWatch())).rejects.toThrow('can’t be read');
  expect(cluster.engine.annotations).toEqual([]);
});

test('break-glass is recorded on the next backup, once', async () => {
  const cluster = fakeCluster();
  await rememberBreakGlass(cluster.engine.memory, grant);
  await backup(cluster, { kind: 'full' }).wait(quietWatch());
  await backup(cluster, { kind: 'full' }).wait(quietWatch());
  expect(cluster.engine.annotations[0]?.breakGlass).toContain('OPS-99 (approved by ada@example.com');
  expect(cluster.engine.annotations[1]?.breakGlass).toBeUndefined();
});

test('a failed backup keeps the break-glass for the next one', async () => {
  const cluster = fakeCluster();
  await rememberBreakGlass(cluster.engine.memory, grant);
  cluster.engine.onCall = call => {
    if (call.startsWith('backup')) throw new HoldfastError('engine-failed', 'disk full');
  };
  await expect(backup(cluster, { kind: 'full' }).wait(quietWatch())).rejects.toThrow('disk full');
  expect(await pendingBreakGlass(cluster.engine.memory)).toContain('OPS-99');
  expect(cluster.engine.memory.audit).toEqual([
    expect.objectContaining({ outcome: 'failed', detail: 'disk full' }),
  ]);
});

test('a backup that was given up is audited as interrupted', async () => {
  const cluster = fakeCluster();
  const watch = quietWatch();
  cluster.engine.onCall = call => {
    if (call.startsWith('backup')) watch.abort(new Error('interrupted by SIGINT'));
  };
  await expect(backup(cluster, { kind: 'full' }).wait(watch)).rejects.toThrow('interrupted');
  expect(cluster.engine.memory.audit).toEqual([expect.objectContaining({ outcome: 'interrupted' })]);
});
