import type { DBInstance, DBSnapshot } from '@aws-sdk/client-rds';
import { list, optional } from './answers';
import type {
  ArchiveEvidence,
  Evidence,
  Instant,
  Phase,
  Problem,
  RepositoryEvidence,
} from '../../core/evidence';
import { automatedBackup, restorableRange } from './automated';
import type { RdsContext } from './context';
import { copiesOf } from './copies';
import { problemOf } from './failure';
import { findInstance, judgeStatus } from './instance';
import { pendingChange } from './maintenance';
import { readParameters } from './parameters';
import { parseRecord, recordName, type ClusterRecord } from './record';
import { describeJournal, journalName, parseJournal } from './replace/journal';
import { byAge, listSnapshots, ownerOf, toBackupSet } from './snapshots';
import { keys, tagsOf } from './tags';

type Report = (problem: Problem) => void;

/**
 * What is known of a cluster's backups now. Never throws for a cluster, an account or a network in trouble: what can't be
 * read or contradicts itself becomes a problem, and with that the verdict `unknown`.
 *
 * It costs four calls: instance, snapshots (one more for each further hundred), automated backups, parameters. Where copies are
 * declared it is one more for each region that AWS Backup keeps some in, and one for replicated automated backups.
 */
export async function evidence(context: RdsContext): Promise<Evidence> {
  const problems: Problem[] = [];
  const report: Report = problem => void problems.push(problem);
  const [record, instance] = await Promise.all([
    readMemory(context, report),
    reported(report, 'asking for the instance', findInstance(context, context.settings.instance)),
  ]);
  const found = optional(instance?.DbiResourceId);
  const recorded = record?.identity ?? null;
  const copiesBy = (arn: string | null) => copiesOf(context, arn, recorded ?? found);
  const arn = optional(instance?.DBInstanceArn);
  const [listed, automated, copies] = await Promise.all([
    reported(report, 'asking for the snapshots', listSnapshots(context, ownerOf(context, record))),
    reported(report, 'asking for the automated backups', automatedBackup(context, recorded ?? found)),
    arn === null ? null : copiesBy(arn),
  ]);
  const snapshots = [...list(listed ?? undefined)].sort(byAge);
  const observedAt = context.clock.now();
  const encrypted = optional(instance?.StorageEncrypted);
  const server = serverOf(context, instance, report);
  return {
    schema: 1,
    cluster: context.cluster,
    environment: record?.environment ?? context.environment,
    engine: 'rds',
    observedAt,
    phase: phaseOf(context, record, found, snapshots),
    begunAt: record?.appliedAt ? record.createdAt : null,
    identity: { recorded, found, backedUp: backedUp(record, snapshots) },
    server,
    backups: snapshots.map(snapshot => toBackupSet(snapshot, encrypted, observedAt)),
    restorable: restorableRange(instance, automated),
    archive: server.state === 'running' && instance !== null ? archiveOf(instance) : null,
    repositories: repositoriesOf(context, instance, snapshots),
    copies: copies ?? (await copiesBy(arnBySnapshots(context, snapshots))),
    problems,
    pendingChange: instance === null ? undefined : pendingChange(instance, observedAt),
  };
}

/** What `question` finds; null when it fails, which is reported. */
async function reported<T>(report: Report, what: string, question: Promise<T>): Promise<T | null> {
  try {
    return await question;
  } catch (error) {
    report(problemOf(what, error));
    return null;
  }
}

/** The record; and, in the same call, whether a restore is under way. */
async function readMemory(context: RdsContext, report: Report): Promise<ClusterRecord | null> {
  return reported(
    report,
    'reading what is recorded of the cluster',
    (async () => {
      const { [recordName]: record, [journalName]: journal } = await readParameters(context, [
        recordName,
        journalName,
      ]);
      const interrupted = parseJournal(optional(journal));
      if (interrupted !== null)
        report({
          what: describeJournal(interrupted),
          remedy: `When none is running: \`holdfast restore ${context.cluster}\` finishes or undoes it.`,
        });
      return parseRecord(context, optional(record));
    })(),
  );
}

/**
 * `none` when there is no record. An instance that is declared to exist and of which Holdfast made nothing yet is about to be
 * adopted; one that carries snapshots of Holdfast's has lost its record.
 */
function phaseOf(
  { settings }: RdsContext,
  record: ClusterRecord | null,
  found: string | null,
  snapshots: readonly DBSnapshot[],
): Phase {
  if (record !== null) return record.phase;
  const ours = snapshots.some(({ TagList }) => tagsOf(TagList)[keys.cluster] !== undefined);
  return settings.source.mode === 'existing' && found !== null && !ours ? 'adopting' : 'none';
}

/** What AWS Backup knows an instance by that is gone: it was in the account of its snapshots. */
function arnBySnapshots({ settings }: RdsContext, snapshots: readonly DBSnapshot[]): string | null {
  return optional(snapshots.at(-1)?.DBSnapshotArn?.replace(/:snapshot:.*/, `:db:${settings.instance}`));
}

/** Whose the newest snapshot is; what was the cluster's before a restore of ours counts as what it is now. */
function backedUp(record: ClusterRecord | null, snapshots: readonly DBSnapshot[]): string | null {
  const newest = optional(snapshots.at(-1)?.DbiResourceId);
  if (record === null || newest === null) return newest;
  return record.lineage.includes(newest) ? record.identity : newest;
}

function serverOf({ settings }: RdsContext, instance: DBInstance | null, report: Report): Evidence['server'] {
  if (instance === null) return { state: 'stopped', version: null };
  const { serves, trouble } = judgeStatus(instance.DBInstanceStatus ?? 'not known');
  if (trouble !== null)
    report({
      what: `the instance ${settings.instance} is in trouble: ${trouble}`,
      remedy: 'The console of RDS and its events tell why.',
    });
  return serves
    ? { state: 'running', version: optional(instance.EngineVersion) }
    : { state: 'stopped', version: null };
}

/**
 * RDS uploads WAL about every five minutes, and tells only the latest restorable time: any change after that could be lost
 * with the instance, so that time stands for the oldest one.
 */
function archiveOf(instance: DBInstance): ArchiveEvidence {
  const until: Instant | null = optional(instance.LatestRestorableTime?.toISOString());
  return {
    lastArchivedAt: until,
    lastFailedAt: null,
    failing: archivingFails(instance),
    backlogSegments: 0,
    oldestUnarchivedChangeAt: until,
    // RDS doesn't tell, so that every change gets a snapshot.
    bytesSinceNewestBackup: null,
    gaps: [],
  };
}

function archivingFails({ BackupRetentionPeriod, LatestRestorableTime }: DBInstance): string | null {
  if (!BackupRetentionPeriod)
    return 'automated backups are switched off (retention of 0 days), and with them point-in-time recovery';
  if (LatestRestorableTime === undefined)
    return 'there is no latest restorable time yet: the first automated backup isn’t done';
  return null;
}

function repositoriesOf(
  { settings, clock }: RdsContext,
  instance: DBInstance | null,
  snapshots: readonly DBSnapshot[],
): RepositoryEvidence[] {
  if (instance === null && snapshots.length === 0) return [];
  return [
    {
      id: 'rds',
      location: `snapshots of RDS in ${settings.region}`,
      offMachine: true,
      encrypted: instance?.StorageEncrypted ?? snapshots.every(({ Encrypted }) => Encrypted === true),
      // An upper bound: two snapshots share what didn't change between them.
      usedBytes: snapshots
        .map(snapshot => toBackupSet(snapshot, null, clock.now()).storedBytes)
        .reduce((sum, bytes) => sum + bytes, 0),
      freeBytes: null,
    },
  ];
}
