import fs from 'node:fs/promises';
import path from 'node:path';
import { judge, limitsOf } from '../../core/freshness';
import type { Engine } from '../../engines/engine';
import { engineOf, ownPort, patient, rows } from '../support/engine';
import { createCluster, type TestCluster } from '../support/host-cluster';
import { succeed } from '../support/processes';
import { removeTempDirs, tempDir } from '../support/temp';

let cluster: TestCluster;
let engine: Engine;

beforeAll(async () => {
  cluster = await createCluster({
    home: path.join(tempDir(0o700), 'a home with spaces'),
    cluster: await ownPort(),
  });
  engine = engineOf(cluster);
});

afterAll(async () => {
  await cluster.drop();
  removeTempDirs();
});

const info = async () => {
  const text = await succeed('pgbackrest', [
    `--config=${cluster.paths.configuration}`,
    '--stanza=shop',
    '--output=json',
    'info',
  ]);
  return JSON.parse(text) as { backup: { label: string; annotation?: Record<string, string> }[] }[];
};

describe('a cluster without a backup', () => {
  it('is being provisioned, and has nothing to go back to', async () => {
    const evidence = await engine.evidence();
    expect(evidence.problems).toEqual([]);
    expect(evidence).toMatchObject({
      phase: 'provisioning',
      backups: [],
      restorable: null,
      server: { state: 'running' },
      archive: { failing: null, gaps: [], bytesSinceNewestBackup: null },
    });
    expect(evidence.identity.recorded).toMatch(/^\d{19}$/);
    expect(evidence.identity).toEqual({
      recorded: evidence.identity.recorded,
      found: evidence.identity.recorded,
      backedUp: evidence.identity.recorded,
    });
  });
});

describe('a backup', () => {
  it('is the set that lies in the repository, with its annotations', async () => {
    await rows(engine, 'create table items as select generate_series(1, 20000) as id');
    const watch = patient();
    const set = await engine
      .backup('full', { changeId: 'shop/prod@1', requestedBy: 'ada', breakGlass: 'disk lost (bob)' })
      .wait(watch);
    expect(set).toMatchObject({ kind: 'full', unusable: null, changeId: 'shop/prod@1', verification: null });
    expect(watch.steps).toContain('copying files');
    const [stanza] = await info();
    expect(stanza!.backup).toHaveLength(1);
    expect(stanza!.backup[0]).toMatchObject({
      label: set.id,
      annotation: {
        'holdfast-change': 'shop/prod@1',
        'holdfast-requested-by': 'ada',
        'holdfast-break-glass': 'disk lost (bob)',
      },
    });
  });

  it('makes the cluster restorable until now, and everything of it readable', async () => {
    const evidence = await engine.evidence();
    expect(evidence.problems).toEqual([]);
    expect(evidence.backups).toHaveLength(1);
    expect(evidence.archive).toMatchObject({ failing: null, gaps: [], backlogSegments: 0 });
    expect(evidence.restorable?.from).toBe(evidence.backups[0]!.stoppedAt);
    expect(evidence.restorable?.until).toBe(evidence.observedAt);
    expect(evidence.repositories).toEqual([
      {
        id: 'repo1',
        location: cluster.paths.repository,
        offMachine: false,
        encrypted: false,
        usedBytes: expect.any(Number) as number,
        freeBytes: expect.any(Number) as number,
      },
    ]);
    const verdicts = judge(evidence, limitsOf(cluster.specification.settings.backups)).findings.map(
      ({ rule, verdict }) => [rule, verdict],
    );
    expect(verdicts).toEqual([
      ['identity', 'fresh'],
      ['readable', 'fresh'],
      ['recent', 'fresh'],
      ['restorable', 'fresh'],
      ['verified', 'missing'],
    ]);
  });

  it('reaches the repository as an increment on the one before', async () => {
    const set = await engine.backup('incremental', {}).wait(patient());
    expect(set.kind).toBe('incremental');
    expect((await engine.evidence()).backups.map(({ kind }) => kind)).toEqual(['full', 'incremental']);
  });

  it('says who is at it when another one runs', async () => {
    const watch = patient();
    await rows(
      engine,
      'create table ballast as select repeat(md5(i::text), 60) from generate_series(1, 100000) i',
    );
    const first = engine.backup('full', {}).wait(watch);
    while (!watch.steps.includes('copying files')) await new Promise(resolve => setTimeout(resolve, 10));
    await expect(engine.backup('full', {}).wait(patient())).rejects.toMatchObject({
      code: 'busy',
      exitCode: 6,
      message: expect.stringMatching(
        /^cluster shop is being backed up already by pgbackrest, process \d+$/,
      ) as string,
    });
    await first;
  });

  it('that is given up leaves the sets before it, and the next one works', async () => {
    const before = (await engine.evidence()).backups.length;
    const watch = patient();
    const running = engine.backup('full', {}).wait({
      ...watch,
      report: progress => {
        if (progress.step === 'copying files') watch.cancel.abort(new Error('given up'));
      },
    });
    await expect(running).rejects.toThrow();
    const evidence = await engine.evidence();
    expect(evidence.problems).toEqual([]);
    expect(evidence.backups).toHaveLength(before);
    await engine.backup('full', {}).wait(patient());
  });
});

describe('a verification', () => {
  const verification = {
    result: 'passed',
    at: '2026-01-02T03:04:05.678Z',
    restoreSeconds: 12.25,
    replayBytesPerSecond: 123_456,
    reason: null,
  } as const;

  it('is kept on its set, with the counts of the newest one only', async () => {
    const [first, second] = (await engine.evidence()).backups;
    await engine.recordVerification(first!.id, verification, { 'postgres.public.items': 20_000 });
    expect(await engine.lastCounts()).toEqual({ 'postgres.public.items': 20_000 });
    const later = { ...verification, at: '2026-01-03T03:04:05.678Z' };
    await engine.recordVerification(second!.id, later, { 'postgres.public.items': 30_000 });
    expect(await engine.lastCounts()).toEqual({ 'postgres.public.items': 30_000 });
    const kept = (await info())[0]!.backup.filter(set => set.annotation?.['holdfast-counts'] !== undefined);
    expect(kept.map(({ label }) => label)).toEqual([second!.id]);
    expect((await engine.evidence()).backups.map(set => set.verification?.at)).toEqual([
      verification.at,
      later.at,
      undefined,
      undefined,
    ]);
  });

  it('that failed keeps its reason, and the counts of the last one that passed', async () => {
    const [first] = (await engine.evidence()).backups;
    const failed = {
      ...verification,
      at: '2026-01-04T00:00:00.000Z',
      result: 'failed',
      reason: 'orders fell',
    } as const;
    await engine.recordVerification(first!.id, failed, {});
    expect((await engine.evidence()).backups[0]!.verification).toEqual(failed);
    expect(await engine.lastCounts()).toEqual({ 'postgres.public.items': 30_000 });
  });

  it('of a set that isn’t there is refused', async () => {
    await expect(engine.recordVerification('20200101-000000F', verification, {})).rejects.toMatchObject({
      code: 'engine-failed',
    });
  });

  it('establishes the cluster once', async () => {
    await engine.establish();
    await engine.establish();
    expect((await engine.evidence()).phase).toBe('established');
  });
});

describe('a restore point', () => {
  it('is proven to be in the repository, and remembered', async () => {
    const point = await engine.markRestorePoint('before change 1');
    expect(point).toMatchObject({
      name: 'before change 1',
      position: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) as string,
    });
    expect(point.archivedAfterSeconds).toBeLessThan(20);
    expect(await engine.restorePoints()).toEqual([point]);
    const segments = await fs.readdir(
      path.join(cluster.paths.repository, 'archive', 'shop', '15-1', '0000000100000000'),
    );
    const [row] = await rows<{ segment: string }>(
      engine,
      `select pg_walfile_name('${point.position}') as segment`,
    );
    expect(segments.filter(name => name.startsWith(`${row!.segment}-`))).toHaveLength(1);
  });

  it('survives a half-written line of one that was killed', async () => {
    await fs.appendFile(path.join(cluster.paths.root, 'restore-points.jsonl'), '{"name":"hal');
    expect((await engine.restorePoints()).map(({ name }) => name)).toEqual(['before change 1']);
  });

  it('has a name of at most 63 bytes', async () => {
    await expect(engine.markRestorePoint('x'.repeat(64))).rejects.toMatchObject({ code: 'configuration' });
  });
});

describe('the cluster’s lock', () => {
  it('says who holds it, and is free again afterwards', async () => {
    await engine.withLock('restore', 'ada: restore', async () => {
      await expect(engine.withLock('backup', 'bob: backup', () => Promise.resolve())).rejects.toMatchObject({
        code: 'busy',
        message: expect.stringContaining(
          `ada: restore (restore), process ${process.pid}, since 20`,
        ) as string,
      });
    });
    await expect(engine.withLock('backup', 'bob: backup', () => Promise.resolve('had it'))).resolves.toBe(
      'had it',
    );
  });
});
