import { HoldfastError } from '../../../core/errors';
import type { Applied, Drift, Existing, Inspection } from '../../../core/host-documents';
import { parseHostSpecification, type HostSpecification } from '../../../core/specification';
import { readCredentials } from '../credentials';
import { readIfThere } from '../files';
import { pathsOf, type ClusterPaths } from '../layout';
import { changedSettings } from '../postgres/configuration-file';
import { pendingRestart } from '../postgres/reload';
import { managedSettings } from '../postgres/settings';
import { scheduleDrift } from '../schedule/schedule';
import { readRecord, type ClusterRecord } from '../record';
import type { Session } from '../../engine';
import { promptly, withServer, type Server } from '../session';
import { appliedDocument } from './applied';
import { settingsInFiles } from './configure';
import { runningServer, superuserOf, type ProvisionContext } from './context';
import { databaseDrift, surveyDeclared } from './databases';
import { fileDrift } from './drift';

/** Also says what `host inspect` leaves out; contains secrets. */
export interface HostInspection extends Inspection<Applied> {
  readonly phase: 'none' | ClusterRecord['phase'];
  readonly running: boolean;
  /** Where it listens, or would. */
  readonly port: number | null;
}

/**
 * Compares a cluster on its machine with its specification. Read-only and fast: it is part of every preview. A cluster that
 * isn't there is not provisioned, which is no error. Run it as the cluster's owner.
 *
 * @throws HoldfastError `engine-failed` when what is there can't be read: then nothing is known, not "no drift".
 */
export async function inspect(
  specification: HostSpecification,
  options: { readonly home: string },
): Promise<HostInspection> {
  const paths = pathsOf(options.home, specification);
  const record = await readRecord(paths);
  const { source } = specification.settings;
  const absent = {
    cluster: specification.cluster,
    provisioned: false,
    revision: 0,
    drift: [],
    needsRestart: [],
    restartAllowed: source.allowRestart,
    existing: [],
    applied: null,
    phase: 'none' as const,
    running: false,
    port: null,
  };
  if (record === null) return { ...absent, existing: await existingBefore(specification, paths) };
  const recorded = { ...absent, phase: record.phase, port: record.port, revision: record.revision };
  const lastApplied = await readApplied(paths);
  if (record.appliedAt === null || record.port === null || lastApplied === null)
    return { ...recorded, existing: await existingBefore(specification, paths) };

  // Found where they were applied: a specification that moves the data is refused by the apply.
  const found = { paths: pathsOf(options.home, lastApplied), superuser: superuserOf(lastApplied) };
  const server = await runningServer(found);
  const credentials = await readCredentials(paths);
  const [drift, restart, existing] = await Promise.all([
    driftOf({ ...found, specification: lastApplied }, record.port, { server, home: options.home }),
    server === null ? [] : needsRestart(specification, found.paths, server),
    server === null ? [] : surveyDeclared(server, specification, credentials),
  ]);
  return {
    ...recorded,
    provisioned: true,
    running: server !== null,
    drift,
    needsRestart: restart,
    existing,
    applied: appliedDocument(lastApplied, record, credentials),
  };
}

async function driftOf(
  context: Pick<ProvisionContext, 'specification' | 'paths' | 'superuser'>,
  port: number,
  { server, home }: { readonly server: Server | null; readonly home: string },
): Promise<Drift[]> {
  const { specification } = context;
  const found = await Promise.all([
    fileDrift(context, port),
    server === null ? [] : databaseDrift(server, specification),
    scheduleDrift(specification.cluster, { home }),
  ]);
  return found.flat();
}

/**
 * What a cluster that is about to be adopted has of what is declared. Whatever keeps it from being asked keeps it from being
 * adopted too, and the apply says it.
 */
async function existingBefore(specification: HostSpecification, paths: ClusterPaths): Promise<Existing[]> {
  if (specification.settings.source.mode !== 'existing') return [];
  try {
    const server = await runningServer({ paths, superuser: superuserOf(specification) });
    return server === null ? [] : await surveyDeclared(server, specification, null);
  } catch {
    return [];
  }
}

/**
 * What differs from what was applied: settings, access rules, what is declared inside, schedules. Nothing before the first apply
 * is complete.
 * @param applied the specification that was applied last.
 * @throws HoldfastError `engine-failed` when what is there can't be read: then nothing is known, not "no drift".
 */
export async function drift(
  applied: HostSpecification,
  { home }: { readonly home: string },
): Promise<readonly Drift[]> {
  const paths = pathsOf(home, applied);
  const record = await readRecord(paths);
  if (!record?.appliedAt || record.port === null) return [];
  const context = { specification: applied, paths, superuser: superuserOf(applied) };
  return driftOf(context, record.port, { server: await runningServer(context), home });
}

/**
 * The specification that was applied last; null when none was.
 * @throws HoldfastError `engine-failed` when it isn't JSON.
 */
export async function readApplied(
  paths: Pick<ClusterPaths, 'specification'>,
): Promise<HostSpecification | null> {
  const text = await readIfThere(paths.specification);
  if (text === null) return null;
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // Without the cause: it quotes what it could not parse, and that may be a secret.
    throw new HoldfastError('engine-failed', `${paths.specification} is not JSON`, {
      hint: 'Delete it, and run `pulumi up`, which writes it.',
    });
  }
  return parseHostSpecification(document);
}

/** Settings that differ from those in the file and take effect at a start only, and those that wait for one already. */
async function needsRestart(
  specification: HostSpecification,
  paths: ClusterPaths,
  server: Server,
): Promise<string[]> {
  const { source } = specification.settings;
  const changed =
    source.mode === 'managed'
      ? changedSettings(
          await settingsInFiles(paths.dataDirectory),
          managedSettings(specification, paths, source.port ?? server.port),
        )
      : [];
  const ask = async (session: Session): Promise<string[]> => {
    const rows = await session.query<{ name: string }>(
      `select name from pg_settings where context = 'postmaster' and name = any($1)`,
      [changed],
    );
    const names = [...rows.map(row => row.name), ...(await pendingRestart(session))];
    return [...new Set(names)].sort();
  };
  return withServer(server, 'postgres', ask, promptly);
}
