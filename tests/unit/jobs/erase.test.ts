import type { BackupSet, Evidence } from '../../../core/evidence';
import { assertFinal } from '../../../jobs/erase';

const final: BackupSet = {
  id: '20260102-030405F',
  kind: 'full',
  startedAt: '2026-01-02T03:04:05.000Z',
  stoppedAt: '2026-01-02T03:05:05.000Z',
  unusable: null,
  sizeBytes: 1,
  storedBytes: 1,
  changeId: null,
  verification: {
    result: 'passed',
    at: '2026-01-02T03:06:05.000Z',
    restoreSeconds: 1,
    replayBytesPerSecond: null,
    reason: null,
  },
};

function evidenceOf(...backups: BackupSet[]): Evidence {
  return {
    schema: 1,
    cluster: 'prod',
    environment: 'production',
    engine: 'host',
    observedAt: '2026-01-02T03:07:05.000Z',
    phase: 'established',
    begunAt: '2026-01-01T00:00:00.000Z',
    identity: { recorded: '7', found: '7', backedUp: '7' },
    server: { state: 'running', version: '15.8' },
    backups,
    restorable: null,
    archive: null,
    repositories: [],
    problems: [],
  };
}

test('a verified full backup that is the newest is proof enough to erase its cluster', () => {
  expect(() => assertFinal(evidenceOf({ ...final, id: 'older' }, final), final.id)).not.toThrow();
});

test.each([
  ['nothing', [], /newest backup set is none/],
  ['another one', [final, { ...final, id: 'later' }], /newest backup set is later/],
  ['an increment', [{ ...final, kind: 'incremental' as const }], /it is incremental, not full/],
  ['one that is damaged', [{ ...final, unusable: 'page checksums' }], /page checksums/],
  ['one that nobody tried', [{ ...final, verification: null }], /it was not verified/],
  [
    'one that failed',
    [{ ...final, verification: { ...final.verification!, result: 'failed' as const, reason: 'rows fell' } }],
    /verification failed: rows fell/,
  ],
  [
    'one that failed for a reason that is lost',
    [{ ...final, verification: { ...final.verification!, result: 'failed' as const } }],
    /verification failed: the reason was not kept/,
  ],
])('%s is not', (_, backups, reason) => {
  expect(() => assertFinal(evidenceOf(...backups), final.id)).toThrow(reason);
});

test('a backup of another cluster is not', () => {
  const evidence = evidenceOf(final);
  const other = { ...evidence, identity: { ...evidence.identity, backedUp: '8' } };
  expect(() => assertFinal(other, final.id)).toThrow(/of cluster 8, not of 7/);
  const unknown = { ...evidence, identity: { ...evidence.identity, backedUp: null } };
  expect(() => assertFinal(unknown, final.id)).toThrow(/of cluster unknown, not of 7/);
});
