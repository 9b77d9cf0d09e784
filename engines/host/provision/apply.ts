import path from 'node:path';
import type { Applied, ApplyRequest } from '../../../core/host-documents';
import type { HostSpecification } from '../../../core/specification';
import { HoldfastError } from '../../../core/errors';
import type { ExistingSource, ManagedSource, SourceSettings } from '../../../core/settings/stack';
import { ensureCredentials } from '../credentials';
import { readIfThere, writeAtomically } from '../files';
import { withClusterLock } from '../lock';
import type { ClusterPaths } from '../layout';
import { dataVersion, systemIdentifierOf } from '../postgres/data-directory';
import { finishInitialisation, initialise, refuseForeignFiles } from '../postgres/initialise';
import { findInstallation } from '../postgres/installation';
import { readJournal } from '../replace/journal';
import { readRecord, updateRecord, writeRecord, type ClusterRecord } from '../record';
import { withServer } from '../session';
import { assertIdentity, assertSameCluster } from './admission';
import { adopt, adoptedVersion } from './adopt';
import { appliedDocument } from './applied';
import { bringUp, type BroughtUp } from './bring-up';
import { runningServer, superuserOf, type ProvisionContext } from './context';
import { prepareMachine, type Place } from './machine';
import {
  noRepositories,
  provideStanza,
  refuseKnownStanza,
  sameRepositories,
  writePgBackRestConfiguration,
} from './pgbackrest';
import { isPortFree, withNewPort } from './port';
import { assertSupported } from './versions';
import { assertProviderLogin, ensureProviderRole } from './provider-role';

/** What an apply did. */
export interface ApplyOutcome {
  /** The document that `host apply` prints; contains secrets. */
  readonly applied: Applied;
  /** What was done, one word each: `initialised`, `settings.work_mem`, `pg_hba.conf`, `started`, `restarted`… */
  readonly changed: readonly string[];
  /** Settings that wait for a restart, which the specification doesn't allow. */
  readonly restartPending: readonly string[];
}

export interface ApplyOptions extends Place {
  /** Told of each step that changes something. */
  readonly report: (step: string) => void;
  /**
   * The break-glass that let this change through, as a clause: what is wrong with the repository of a cluster that was applied
   * before is reported then, and holds nothing up. @default none
   */
  readonly breakGlass?: string | undefined;
}

/**
 * Makes a cluster what its specification says. Can be interrupted anywhere, kill -9 included: the next one completes it.
 * Applying the same again changes nothing. As root it becomes the cluster's owner, for good.
 *
 * @throws HoldfastError `refused` when that could harm data (another cluster's directory, missing data, another
 * environment), `configuration` for what can't work (port in use, settings that PostgreSQL doesn't accept), `busy` when
 * another apply runs, else `engine-failed`.
 */
export async function apply(
  request: ApplyRequest<HostSpecification>,
  options: ApplyOptions,
): Promise<ApplyOutcome> {
  const { specification } = request;
  const { source } = specification.settings;
  const paths = await prepareMachine(specification, options);
  return withClusterLock(path.join(paths.lock, 'apply'), 'restore', 'host apply', async () => {
    const record = await readRecord(paths);
    if (record !== null) assertSameCluster(specification, paths, record);
    await assertNoRestore(paths);
    const context: ProvisionContext = {
      home: options.home,
      specification,
      paths,
      installation: await findInstallation(await versionOf(source, paths)),
      superuser: superuserOf(specification),
      report: options.report,
      breakGlass: options.breakGlass,
    };
    return source.mode === 'managed'
      ? applyManaged(context, source, record, request.revision)
      : applyExisting(context, source, record, request.revision);
  });
}

/** Between the begin and the end of a restore the data directory is neither the old nor the new one. */
async function assertNoRestore(paths: ClusterPaths): Promise<void> {
  if ((await readJournal({ paths })) === null) return;
  throw new HoldfastError('busy', `a restore of cluster ${paths.cluster} is under way, or was interrupted`, {
    hint: `\`holdfast run-due ${paths.cluster}\` finishes or undoes one that was interrupted. Nothing was changed.`,
  });
}

async function versionOf(source: SourceSettings, paths: ClusterPaths): Promise<number> {
  return source.mode === 'managed' ? source.version : adoptedVersion(paths);
}

async function applyExisting(
  context: ProvisionContext,
  source: ExistingSource,
  found: ClusterRecord | null,
  revision: number,
): Promise<ApplyOutcome> {
  const { systemIdentifier, ...up } = await adopt(context, source, found);
  await writeSpecification(context.paths, context.specification);
  return finish(context, { revision, systemIdentifier, up });
}

async function applyManaged(
  context: ProvisionContext,
  source: ManagedSource,
  found: ClusterRecord | null,
  revision: number,
): Promise<ApplyOutcome> {
  const { paths, specification } = context;
  const begun = found ?? (await beginProvision(context, source));
  const { systemIdentifier, initialised } = await ensureData(context, begun);
  await writeSpecification(paths, specification);
  const up = await bringUpSomewhere(context, source, begun);
  // Of a new cluster everything is new: what its files had before is initdb's.
  const changed = initialised ? ['initialised', 'started'] : up.changed;
  return finish(context, { revision, systemIdentifier, up: { ...up, changed } });
}

/** What follows once the server runs: pgBackRest, passwords, and the record of what was done. */
export async function finish(
  context: ProvisionContext,
  done: { readonly revision: number; readonly systemIdentifier: string; readonly up: BroughtUp },
): Promise<ApplyOutcome> {
  const { paths, specification } = context;
  const { port, restartPending } = done.up;
  const changed = [...done.up.changed];
  const { appliedAt } = await updateRecord(paths, { port, environment: specification.environment });
  const known = appliedAt === null ? noRepositories : await sameRepositories(context, port);
  const rewritten = await writePgBackRestConfiguration(context, port);
  if (rewritten) changed.push('pgbackrest.conf');
  const prove = appliedAt === null || changed.includes('pgbackrest.conf');
  await provideStanza(context, done.systemIdentifier, { prove, known });
  const credentials = await ensureCredentials(paths, specification);
  const server = await runningServer(context);
  if (server === null)
    throw new HoldfastError('engine-failed', `the server of cluster ${paths.cluster} has stopped meanwhile`, {
      hint: `Its log is in ${paths.log}.`,
    });
  if (
    await withServer(server, 'postgres', session =>
      ensureProviderRole(session, credentials.provider.verifier),
    )
  )
    changed.push('provider role');
  if (specification.settings.source.mode === 'existing' && loginIsNeeded(specification))
    await assertProviderLogin(paths.cluster, port, credentials.provider.password);
  const record = await updateRecord(paths, { revision: done.revision, appliedAt: new Date().toISOString() });
  const applied = appliedDocument(specification, record, credentials);
  if (applied === null)
    throw new HoldfastError('engine-failed', `the record of cluster ${paths.cluster} has changed meanwhile`);
  return { applied, changed, restartPending };
}

/** Databases are made and kept by the provider. */
const loginIsNeeded = ({ settings }: ProvisionContext['specification']): boolean =>
  Object.keys(settings.databases).length > 0;

/** Enters the phase `provisioning`, with the port, before anything is created. */
async function beginProvision(context: ProvisionContext, source: ManagedSource): Promise<ClusterRecord> {
  const { home, paths, specification } = context;
  await assertSupported(paths.cluster, source.version);
  // Before there is a record: it would say that what is there is being provisioned.
  await refuseForeignFiles(paths.dataDirectory);
  const request = {
    home,
    cluster: specification.cluster,
    wanted: source.port,
    addresses: source.listenAddresses,
  };
  return withNewPort(request, async port => {
    await writePgBackRestConfiguration(context, port);
    await refuseKnownStanza(context);
    return writeRecord(paths, {
      schema: 1,
      cluster: specification.cluster,
      environment: specification.environment,
      mode: 'managed',
      phase: 'provisioning',
      systemIdentifier: null,
      dataDirectory: paths.dataDirectory,
      pgVersion: source.version,
      port,
      revision: 0,
      createdAt: new Date().toISOString(),
      appliedAt: null,
      establishedAt: null,
      archivingBefore: null,
    });
  });
}

/** The data directory of the cluster on record, initialised when it never was. */
async function ensureData(
  context: ProvisionContext,
  record: ClusterRecord,
): Promise<{ systemIdentifier: string; initialised: boolean }> {
  const { installation, paths, superuser } = context;
  if (record.systemIdentifier !== null) {
    const { systemIdentifier } = record;
    if ((await dataVersion(paths.dataDirectory)) !== null) {
      assertIdentity(record, await systemIdentifierOf(paths.dataDirectory));
      return { systemIdentifier, initialised: false };
    }
    const finished = await finishInitialisation(paths.dataDirectory, systemIdentifier);
    if (!finished) assertIdentity(record, null);
    return { systemIdentifier, initialised: true };
  }
  let systemIdentifier = '';
  context.report('initialising the data directory');
  await initialise(installation, paths.dataDirectory, superuser, async identifier => {
    systemIdentifier = identifier;
    await updateRecord(paths, { systemIdentifier });
  });
  return { systemIdentifier, initialised: true };
}

const startAttempts = 5;

/**
 * Brings the server up. A new one whose port nobody asked for gets another when it was taken meanwhile, by a cluster of
 * another home for example.
 */
async function bringUpSomewhere(
  context: ProvisionContext,
  source: ManagedSource,
  record: ClusterRecord,
): Promise<BroughtUp> {
  const { home, specification, paths } = context;
  const addresses = source.listenAddresses;
  let port = source.port ?? recordedPort(record);
  for (let attempt = 1; ; attempt += 1)
    try {
      return await bringUp(context, source, port);
    } catch (error) {
      const isSettled = source.port !== undefined || record.appliedAt !== null || attempt === startAttempts;
      if (isSettled || (await isPortFree(port, addresses))) throw error;
      context.report(`port ${port} was taken meanwhile: choosing another`);
      const request = { home, cluster: specification.cluster, wanted: undefined, addresses };
      port = await withNewPort(request, async chosen => {
        await updateRecord(paths, { port: chosen });
        return chosen;
      });
    }
}

function recordedPort(record: ClusterRecord): number {
  if (record.port !== null) return record.port;
  throw new HoldfastError('engine-failed', `the record of cluster ${record.cluster} has no port`);
}

/** Later jobs read it. */
export async function writeSpecification(
  paths: ClusterPaths,
  specification: ProvisionContext['specification'],
): Promise<void> {
  const text = `${JSON.stringify(specification, null, 2)}\n`;
  if ((await readIfThere(paths.specification)) !== text) await writeAtomically(paths.specification, text);
}
