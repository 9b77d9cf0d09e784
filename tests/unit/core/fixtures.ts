import type { ArchiveEvidence, BackupSet, Evidence, Instant, Verification } from '../../../core/evidence';
import type { Finding, Judgement, Limits } from '../../../core/freshness';
import { judge } from '../../../core/freshness';
import { after } from '../../../core/time';

/** The server's clock in these tests. */
export const now: Instant = '2026-03-04T12:00:00.000Z';
/** Larger than 2^53: as a number it would be another one. */
export const identity = '7301234567890123457';

export const limits: Limits = {
  maximumAge: 26 * 3600,
  verificationMaximumAge: 7 * 86_400,
  rpo: 300,
  rto: 3600,
};

export const ago = (seconds: number): Instant => after(now, -seconds);

export const passed = (overrides: Partial<Verification> = {}): Verification => ({
  result: 'passed',
  at: ago(2 * 3600),
  restoreSeconds: 120,
  replayBytesPerSecond: 50_000_000,
  reason: null,
  ...overrides,
});

export const failed = (overrides: Partial<Verification> = {}): Verification =>
  passed({ result: 'failed', reason: 'pg_amcheck found a broken index', ...overrides });

export const backupSet = (overrides: Partial<BackupSet> = {}): BackupSet => ({
  id: '20260304-013000F',
  kind: 'full',
  startedAt: ago(4 * 3600),
  stoppedAt: ago(4 * 3600 - 60),
  unusable: null,
  sizeBytes: 1_000_000,
  storedBytes: 100_000,
  changeId: null,
  verification: passed(),
  ...overrides,
});

export const archive = (overrides: Partial<ArchiveEvidence> = {}): ArchiveEvidence => ({
  lastArchivedAt: ago(60),
  lastFailedAt: null,
  failing: null,
  backlogSegments: 0,
  oldestUnarchivedChangeAt: ago(60),
  bytesSinceNewestBackup: 1_000_000,
  gaps: [],
  ...overrides,
});

/** A production cluster that is fresh in every respect. */
export const evidence = (overrides: Partial<Evidence> = {}): Evidence => ({
  schema: 1,
  cluster: 'shop',
  environment: 'production',
  engine: 'host',
  observedAt: now,
  phase: 'established',
  begunAt: ago(3600),
  identity: { recorded: identity, found: identity, backedUp: identity },
  server: { state: 'running', version: '15.8' },
  backups: [backupSet()],
  restorable: { from: ago(4 * 3600 - 60), until: ago(60) },
  archive: archive(),
  repositories: [
    { id: '1', location: '/r', offMachine: false, encrypted: false, usedBytes: 100_000, freeBytes: 900_000 },
  ],
  problems: [],
  ...overrides,
});

/** A cluster of which there is no trace yet. */
export const nothing = (overrides: Partial<Evidence> = {}): Evidence =>
  evidence({
    phase: 'none',
    begunAt: null,
    identity: { recorded: null, found: null, backedUp: null },
    server: { state: 'stopped', version: null },
    backups: [],
    restorable: null,
    archive: null,
    repositories: [],
    ...overrides,
  });

export const findingOf = (judgement: Judgement, rule: Finding['rule']): Finding =>
  judgement.findings.find(finding => finding.rule === rule)!;

/** What a rule says of a cluster that is fresh but for `overrides`. */
export const judged = (rule: Finding['rule'], overrides: Partial<Evidence>): Finding =>
  findingOf(judge(evidence(overrides), limits), rule);
