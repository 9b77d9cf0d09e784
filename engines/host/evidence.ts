import path from 'node:path';
import { asHoldfastError, type HoldfastError } from '../../core/errors';
import type { AccessEvidence, Evidence, Phase, Problem, WalGap } from '../../core/evidence';
import type { Session } from '../engine';
import { clusterOf, type HostContext } from './context';
import {
  archiveEvidence,
  gapsSince,
  missingTail,
  neverArchived,
  newestUsable,
  oldestUnarchivedChange,
  restorable,
  type Unarchived,
} from './evidence-archive';
import { freeBytes, readRepository, readSegments, type RepositoryFacts } from './evidence-repository';
import { readAccess } from './evidence-access';
import { askServer, waitingSegments, type ServerFacts } from './evidence-server';
import { exists } from './files';
import { controlData } from './clone/control-data';
import { runningPostmaster, systemIdentifierOf } from './postgres/data-directory';
import type { ClusterRecord } from './record';
import { readJournal } from './replace/journal';
import { promptly, withServer } from './session';
import { toBackupSet } from './sets';
import { tracesOf } from './traces';

type Report = (problem: Problem) => void;

/** The record of a cluster as far as it could be read. */
export interface RecordRead {
  readonly record: ClusterRecord | null;
  readonly problem: HoldfastError | null;
}

/**
 * What is known of a cluster's backups now. Never throws for a cluster in trouble: what can't be read or contradicts
 * itself becomes a problem, and with that the verdict `unknown`.
 */
export async function evidence(context: HostContext, read: RecordRead): Promise<Evidence> {
  const problems: Problem[] = [];
  const report: Report = problem => void problems.push(problem);
  if (read.problem !== null)
    report({ what: read.problem.message, remedy: read.problem.hint ?? 'Bring the record back.' });
  const { record } = read;
  const { paths, specification } = context;
  const recorded = record?.systemIdentifier ?? null;

  // What waits is read before the repository is listed: a segment that moves in between is in one of both at least.
  const waitingBefore = await waitingSegments(paths.dataDirectory).catch(() => []);
  const [found, server, repository, configured, walSpace] = await Promise.all([
    readIdentity(context, report),
    readServer(context, waitingBefore, report),
    exists(paths.configuration).then(there => (there ? readRepository(context, recorded, report) : null)),
    exists(paths.configuration),
    freeBytes(path.join(paths.dataDirectory, 'pg_wal')),
  ]);
  if (recorded !== null && found === null && server.facts === null)
    report({
      what: `cluster ${clusterOf(context)} is known (system identifier ${recorded}), but ${paths.dataDirectory} holds no data`,
      remedy: 'Is its disk mounted? Nothing is initialised anew in the place of a known cluster.',
    });
  if (server.facts !== null && found !== null && server.facts.systemIdentifier !== found)
    report({
      what: `another server answers for ${clusterOf(context)}: its system identifier is ${server.facts.systemIdentifier}, that of ${paths.dataDirectory} ${found}`,
      remedy: 'Find out which server uses this socket and port.',
    });
  if (!configured && record !== null)
    report({
      what: `${paths.configuration} is missing, so the repository can’t be read`,
      remedy: 'Run `pulumi up`.',
    });
  if (!configured && record === null) await reportTraces(context, report);
  await reportUnsettled(context, report);
  if (repository !== null) reportStanza(repository, record, report);

  const observedAt = server.facts?.now ?? new Date().toISOString();
  const segmentBytes = server.facts?.segmentBytes ?? (await segmentBytesOnDisk(context, found));
  const { repository: complete, waiting } = await withFreshTail(
    context,
    { repository, waiting: waitingBefore },
    server.facts,
  );
  const missing = complete === null ? [] : missingWal(complete, waiting, server.facts, segmentBytes);
  const archive =
    server.facts === null
      ? null
      : await archiveEvidence(context, server.facts, waiting, complete, missing, server.unarchived).catch(
          (error: unknown) => {
            report({
              what: `the state of archiving can’t be read: ${asHoldfastError(error).message}`,
              remedy: 'Are PostgreSQL’s programs installed, and its data directory readable?',
            });
            return null;
          },
        );
  return {
    schema: 1,
    cluster: clusterOf(context),
    environment: record?.environment ?? specification.environment,
    engine: 'host',
    observedAt,
    phase: phaseOf(context, record, found, complete),
    begunAt: record?.appliedAt ? record.createdAt : null,
    identity: {
      recorded,
      found: server.facts?.systemIdentifier ?? found,
      backedUp: complete?.info.systemIdentifier ?? null,
    },
    server: {
      state: server.state,
      version: server.facts?.version ?? null,
      ...(walSpace === null ? {} : { freeBytes: walSpace }),
    },
    backups: (complete?.info.sets ?? []).map(set =>
      toBackupSet(set, complete?.unusable.get(set.label) ?? null),
    ),
    restorable: complete === null ? null : restorable(complete, waiting, segmentBytes, archive, observedAt),
    archive,
    repositories: complete?.repositories ?? [],
    problems,
    ...(server.access === null ? {} : { access: server.access }),
  };
}

/**
 * `none` when there is no record. A cluster that is declared to exist and has neither record nor stanza is about to be
 * adopted: Holdfast has made nothing of it yet.
 */
function phaseOf(
  { specification }: HostContext,
  record: ClusterRecord | null,
  found: string | null,
  repository: RepositoryFacts | null,
): Phase {
  if (record !== null) return record.phase;
  const adopts = specification.settings.source.mode === 'existing';
  return adopts && found !== null && (repository?.info.systemIdentifier ?? null) === null
    ? 'adopting'
    : 'none';
}

async function readIdentity({ paths }: HostContext, report: Report): Promise<string | null> {
  try {
    return await systemIdentifierOf(paths.dataDirectory);
  } catch (error) {
    report({
      what: `the data directory ${paths.dataDirectory} can’t be read: ${(error as Error).message}`,
      remedy: 'Is its disk in order, and the data directory its owner’s?',
    });
    return null;
  }
}

interface ServerRead {
  readonly state: 'running' | 'stopped';
  readonly facts: ServerFacts | null;
  readonly access: AccessEvidence | null;
  /** Null where it depends on the repository, or could not be read; it is read (or fails) later then. */
  readonly unarchived: Unarchived | null;
}

async function readServer(
  context: HostContext,
  waiting: readonly string[],
  report: Report,
): Promise<ServerRead> {
  const ask = async (session: Session) => {
    const facts = await askServer(session);
    const [access, unarchived] = await Promise.all([
      readAccess(session, context.server).catch((error: unknown) => {
        report({
          what: `who may connect can’t be read: ${asHoldfastError(error).message}`,
          remedy: `See the server’s log in ${context.paths.log}.`,
        });
        return null;
      }),
      unarchivedUnlessWaiting(context, facts, waiting),
    ]);
    return { facts, access, unarchived };
  };
  try {
    const { facts, ...read } = await withServer(context.server, 'postgres', ask, promptly);
    if (facts.inRecovery)
      report({
        what: `the server of ${clusterOf(context)} is in recovery`,
        remedy: 'Wait until it has ended; a standby is not supported.',
      });
    return { state: 'running', facts, ...read };
  } catch (error) {
    if ((await runningPostmaster(context.paths.dataDirectory).catch(() => null)) === null)
      return { state: 'stopped', facts: null, access: null, unarchived: null };
    report({
      what: `the server of ${clusterOf(context)} runs, but doesn’t answer: ${(error as Error).message}`,
      remedy: `See its log in ${context.paths.log}.`,
    });
    return { state: 'running', facts: null, access: null, unarchived: null };
  }
}

/** The oldest change that isn't archived, read beside the repository: where nothing waits, it doesn't depend on that. */
async function unarchivedUnlessWaiting(
  context: HostContext,
  server: ServerFacts,
  waiting: readonly string[],
): Promise<Unarchived | null> {
  if (waiting.length > 0) return null;
  return oldestUnarchivedChange(context, server, waiting).then(
    at => ({ at }),
    () => null,
  );
}

/** Without its directory a cluster looks as if it never was, unless something else knows it. */
async function reportTraces({ specification, paths }: HostContext, report: Report): Promise<void> {
  const traces = await tracesOf(specification, paths).catch((error: unknown) => [(error as Error).message]);
  for (const trace of traces)
    report({
      what: `neither record nor configuration of ${specification.cluster} is in ${paths.root}, but ${trace}`,
      remedy: 'Is the disk of Holdfast’s home mounted? Bring the directory back from a copy.',
    });
}

async function reportUnsettled(context: HostContext, report: Report): Promise<void> {
  const journal = await readJournal(context).catch((error: unknown) => error as Error);
  if (journal === null) return;
  report({
    what:
      journal instanceof Error
        ? `the journal of a restore can’t be read: ${journal.message}`
        : `a restore is under way or was interrupted (${journal.state}, since ${journal.at})`,
    remedy: `When none is running: \`holdfast restore ${clusterOf(context)}\` or \`pulumi up\` finishes or undoes it.`,
  });
}

/** pgBackRest's own judgement of the stanza, where it isn't told by the sets. */
function reportStanza({ info }: RepositoryFacts, record: ClusterRecord | null, report: Report): void {
  const known = (record?.establishedAt ?? null) !== null;
  for (const { key, code, message } of info.repositories) {
    if (code === 0 || code === 2 || code === 6) continue;
    // Before the first verified backup a repository may have no stanza yet.
    if ((code === 1 || code === 3) && !known) continue;
    report({
      what: `repository ${key}: ${message}`,
      remedy: 'Is its disk mounted and readable, and its passphrase the one that it was made with?',
    });
  }
  if (known && info.repositories.length === 0)
    report({
      what: 'the repository knows nothing of the cluster',
      remedy: 'Is its disk mounted?',
    });
}

interface Wal {
  readonly repository: RepositoryFacts | null;
  /** Segments that wait on the server to be archived. */
  readonly waiting: readonly string[];
}

/** Looks once more when there seems to be a hole at the end: what is missing there may have moved on meanwhile. */
async function withFreshTail(context: HostContext, read: Wal, server: ServerFacts | null): Promise<Wal> {
  const { repository } = read;
  const archiveId = repository?.info.archiveId ?? null;
  if (repository === null || server === null || archiveId === null) return read;
  if (missingAtEnd(repository, read.waiting, server) === null) return read;
  // In this order: what waits no more by then is in the repository.
  const waiting = await waitingSegments(context.paths.dataDirectory).catch(() => read.waiting);
  const segments = await readSegments(context, archiveId).catch(() => repository.segments);
  return { repository: { ...repository, segments }, waiting };
}

function missingAtEnd(
  { segments }: RepositoryFacts,
  waiting: readonly string[],
  server: ServerFacts,
): WalGap | null {
  return missingTail(segments, server) ?? neverArchived(segments, waiting, server);
}

function missingWal(
  repository: RepositoryFacts,
  waiting: readonly string[],
  server: ServerFacts | null,
  segmentBytes: number,
): WalGap[] {
  const newest = newestUsable(repository);
  if (newest === undefined) return [];
  const inside = gapsSince(newest, repository, waiting, segmentBytes);
  const end = server === null ? null : missingAtEnd(repository, waiting, server);
  return end === null || inside.some(gap => gap.to === end.to) ? inside : [...inside, end];
}

async function segmentBytesOnDisk(context: HostContext, found: string | null): Promise<number> {
  const usual = 16 * 1024 * 1024;
  if (found === null) return usual;
  const control = await context
    .installation()
    .then(({ bin }) => controlData(bin, context.paths.dataDirectory))
    .catch(() => null);
  return control?.segmentBytes ?? usual;
}
