import os from 'node:os';
import { refuseTakeover } from '../../../core/catalog';
import { HoldfastError } from '../../../core/errors';
import type { ExistingSource } from '../../../core/settings/stack';
import type { Session } from '../../engine';
import { readCredentials } from '../credentials';
import { readIfThere } from '../files';
import type { ClusterPaths } from '../layout';
import { withClusterLock } from '../lock';
import { dataVersion, runningPostmaster, systemIdentifierOf } from '../postgres/data-directory';
import { hasUnreadFiles, pendingRestart, reload } from '../postgres/reload';
import { restartServer } from '../postgres/server';
import { archiveCommand } from '../postgres/settings';
import { writeRecord, type ClusterRecord } from '../record';
import { withServer, type Server } from '../session';
import { assertIdentity } from './admission';
import { adoptedSettings } from './adopted-settings';
import type { BroughtUp } from './bring-up';
import {
  archivingNeedsRestart,
  assertAdoptable,
  remarks,
  surveyCandidate,
  type Candidate,
} from './candidate';
import type { ProvisionContext } from './context';
import { surveyDeclared } from './databases';
import { noRepositories, provideStanza, sameRepositories, writePgBackRestConfiguration } from './pgbackrest';
import { assertSupported } from './versions';

/**
 * Adopts a running cluster with its data, or sees to it that an adopted one still archives as it has to. What Holdfast sets
 * it sets by ALTER SYSTEM: no file of its owner is edited, nothing is moved or initialised.
 *
 * @throws HoldfastError `refused` before anything was changed, with the reason, when it can't be adopted as it is.
 */
export async function adopt(
  context: ProvisionContext,
  source: ExistingSource,
  found: ClusterRecord | null,
): Promise<BroughtUp & { readonly systemIdentifier: string }> {
  const { paths } = context;
  const server = await serverOf(context, source);
  const systemIdentifier = await systemIdentifierOf(paths.dataDirectory);
  if (systemIdentifier === null)
    throw new HoldfastError('engine-failed', `${paths.dataDirectory} has no control file`);
  if (found !== null) assertIdentity(found, systemIdentifier);

  const candidate = await withServer(server, 'postgres', surveyCandidate);
  const settings = adoptedSettings(context.specification, paths);
  if (!found?.appliedAt) {
    await assertSupported(paths.cluster, candidate.version);
    assertAdoptable(paths.cluster, source, candidate, settings.archive_command ?? '');
    await assertNoTakeover(context, server);
    remarks(candidate).forEach(context.report);
  }
  if (found === null) await beginAdoption(context, { candidate, systemIdentifier, port: server.port });
  // Before anything is archived there has to be where to.
  const known = found?.appliedAt ? await sameRepositories(context, server.port) : noRepositories;
  const rewritten = await writePgBackRestConfiguration(context, server.port);
  await provideStanza(context, systemIdentifier, { prove: false, known });
  const up = await switchOn(context, source, server, candidate);
  const changed = [...up.changed, ...(rewritten ? ['pgbackrest.conf'] : [])];
  return { ...up, changed, systemIdentifier };
}

/** Pulumi would find out only once the cluster is adopted, and half of what is in it changed. */
async function assertNoTakeover({ specification, paths }: ProvisionContext, server: Server): Promise<void> {
  const existing = await surveyDeclared(server, specification, await readCredentials(paths));
  const refusal = refuseTakeover(paths.cluster, existing);
  if (refusal !== undefined) throw refusal;
}

/** Enters the phase `adopting` before anything is changed. */
async function beginAdoption(
  { paths, specification }: ProvisionContext,
  found: { readonly candidate: Candidate; readonly systemIdentifier: string; readonly port: number },
): Promise<void> {
  const { candidate, systemIdentifier, port } = found;
  await writeRecord(paths, {
    schema: 1,
    cluster: specification.cluster,
    environment: specification.environment,
    mode: 'existing',
    phase: 'adopting',
    systemIdentifier,
    dataDirectory: paths.dataDirectory,
    pgVersion: candidate.version,
    port,
    revision: 0,
    createdAt: new Date().toISOString(),
    appliedAt: null,
    establishedAt: null,
    archivingBefore: {
      archive_mode: candidate.archiveMode,
      archive_command: candidate.archiveCommand,
      archive_timeout: candidate.archiveTimeout,
    },
  });
}

/**
 * The major version of the cluster to adopt.
 * @throws HoldfastError `refused` when there is none, `configuration` when its owner is somebody else.
 */
export async function adoptedVersion(paths: ClusterPaths): Promise<number> {
  const version = await dataVersion(paths.dataDirectory).catch((error: unknown) => {
    throw new HoldfastError(
      'configuration',
      `${paths.dataDirectory} can't be read by ${os.userInfo().username}`,
      {
        hint: 'Run as the user that owns it: set `owner` of the cluster, and `connection.sudoUser` where you log in as another.',
        cause: error,
      },
    );
  });
  if (version !== null) return version;
  throw new HoldfastError('refused', `there is no cluster in ${paths.dataDirectory}`, {
    hint: `Is its disk mounted? Else correct clusters.${paths.cluster}.source.dataDirectory. Nothing was changed.`,
  });
}

/** The running server of the declared data directory, at the declared port. */
async function serverOf(context: ProvisionContext, source: ExistingSource): Promise<Server> {
  const { paths, superuser } = context;
  const where = `clusters.${paths.cluster}.source`;
  const postmaster = await runningPostmaster(paths.dataDirectory);
  if (postmaster === null)
    throw new HoldfastError('engine-failed', `the cluster in ${paths.dataDirectory} is not running`, {
      hint: 'Start it as you always do; an adopted cluster is never started by Holdfast.',
    });
  if (postmaster.port !== source.port)
    throw new HoldfastError(
      'configuration',
      `the cluster in ${paths.dataDirectory} listens on port ${postmaster.port}, not ${source.port}`,
      { hint: `Correct ${where}.port. Nothing was changed.` },
    );
  return { socketDirectory: source.socketDirectory, port: source.port, superuser };
}

async function switchOn(
  context: ProvisionContext,
  source: ExistingSource,
  server: Server,
  candidate: Candidate,
): Promise<BroughtUp> {
  const settings = {
    ...adoptedSettings(context.specification, context.paths),
    ...(candidate.archiveMode === 'off' ? { archive_mode: 'on' } : {}),
    ...(candidate.walLevel === 'minimal' ? { wal_level: 'replica' } : {}),
  };
  const { changed, pending } = await withServer(server, 'postgres', async session => {
    const names = await setBySystem(session, settings);
    if (names.length > 0) context.report(`settings by ALTER SYSTEM: ${names.join(', ')}`);
    if (names.length > 0 || (await hasUnreadFiles(session))) await reload(session);
    return { changed: names.map(name => `settings.${name}`), pending: await pendingRestart(session) };
  });
  const ours = pending.filter(name => name in settings);
  const restarts = ours.length > 0 && source.allowRestart && archivingNeedsRestart(candidate);
  if (restarts) await restart(context, ours);
  await assertInForce(context, server);
  return {
    port: server.port,
    changed: restarts ? [...changed, 'restarted'] : changed,
    restartPending: restarts ? [] : pending,
  };
}

/** A setting on the command line of a server wins over every file. */
async function assertInForce(context: ProvisionContext, server: Server): Promise<void> {
  const wanted = archiveCommand(context.paths);
  const [found] = await withServer(server, 'postgres', session =>
    session.query<{ setting: string; source: string }>(
      `select setting, source from pg_settings where name = 'archive_command'`,
    ),
  );
  if (found?.setting === wanted) return;
  throw new HoldfastError(
    'refused',
    `archive_command of cluster ${context.paths.cluster} stays ${found?.setting ?? 'unknown'} (set by ${found?.source ?? 'unknown'})`,
    { hint: 'Remove it from the options that the server is started with, and restart it.' },
  );
}

/** Sets what has another value, or the same by a file that its owner could change. @returns the names. */
async function setBySystem(session: Session, settings: Readonly<Record<string, string>>): Promise<string[]> {
  const rows = await session.query<{ name: string; value: string }>(
    `select name, setting as value from pg_file_settings
     where sourcefile like '%/postgresql.auto.conf' and name = any($1)`,
    [Object.keys(settings)],
  );
  const current = new Map(rows.map(row => [row.name, row.value]));
  const names = Object.keys(settings).filter(name => current.get(name) !== settings[name]);
  for (const name of names)
    await session.query(`alter system set ${name} = '${(settings[name] ?? '').replace(/'/g, "''")}'`);
  return names;
}

/** A server that a service manager watches has to be restarted by it: behind its back it would be taken for dead. */
async function restart(context: ProvisionContext, names: readonly string[]): Promise<void> {
  const { paths, installation } = context;
  const postmaster = await runningPostmaster(paths.dataDirectory);
  const unit = postmaster === null ? null : await serviceOf(postmaster.pid);
  if (unit !== null)
    throw new HoldfastError(
      'refused',
      `cluster ${paths.cluster} has to be restarted for ${names.join(', ')}, and ${unit} of systemd runs it`,
      {
        hint: `Run \`sudo systemctl restart ${unit}\`, and then this again. The settings are made, and until then nothing is archived.`,
      },
    );
  await withClusterLock(paths.lock, 'restore', 'host apply', async () => {
    context.report(`restarting the server for ${names.join(', ')}`);
    await restartServer(installation, paths);
  });
}

/** The systemd service that a process belongs to; null when none does. */
async function serviceOf(pid: number): Promise<string | null> {
  const text = await readIfThere(`/proc/${pid}/cgroup`).catch(() => null);
  return /\/system\.slice\/(?:[^\n]*\/)?(postgresql[^/\n]*\.service)(?:\/|$)/m.exec(text ?? '')?.[1] ?? null;
}
