import type { ManagedSource } from '../../../core/settings/stack';
import { readIfThere } from '../files';
import { withClusterLock } from '../lock';
import { hasUnreadFiles, pendingRestart, reload } from '../postgres/reload';
import { restartServer, startServer } from '../postgres/server';
import { withServer, type Server } from '../session';
import {
  configurationFiles,
  overriding,
  removeOverrides,
  writeConfiguration,
  type Written,
} from './configure';
import { runningServer, type ProvisionContext } from './context';
import { assertPortFree } from './port';

/** A managed server that runs with what is declared, as far as it may be restarted for it. */
export interface BroughtUp {
  /** Where it listens. */
  readonly port: number;
  readonly changed: readonly string[];
  /** Settings that wait for a restart, which isn't allowed. */
  readonly restartPending: readonly string[];
}

/**
 * Brings the server of a managed cluster to its declared settings: reloaded where it runs, started where it doesn't, and
 * restarted only where that is allowed.
 * @param port where it shall listen.
 */
export async function bringUp(
  context: ProvisionContext,
  source: ManagedSource,
  port: number,
): Promise<BroughtUp> {
  const server = await runningServer(context);
  return server === null ? start(context, source, port) : adjust(context, source, server, port);
}

/** Whoever stopped it for a restore holds the lock: then it isn't started. */
async function start(context: ProvisionContext, source: ManagedSource, port: number): Promise<BroughtUp> {
  const { paths } = context;
  return withClusterLock(paths.lock, 'restore', 'host apply', async () => {
    await assertPortFree(paths.cluster, port, source.listenAddresses);
    const overrides = await overridesOf(context);
    if (overrides.length > 0) await removeOverrides(paths.dataDirectory, overrides);
    const { changed } = await writeConfiguration(context, port);
    context.report('starting the server');
    await startServer(context.installation, paths);
    return { port, changed: [...overrides.map(settingOf), ...changed, 'started'], restartPending: [] };
  });
}

async function adjust(
  context: ProvisionContext,
  source: ManagedSource,
  server: Server,
  wantedPort: number,
): Promise<BroughtUp> {
  // A port in the file that the server doesn't have yet would be a surprise at its next start: pgBackRest and clients
  // would look for it elsewhere.
  const port = source.allowRestart ? wantedPort : server.port;
  if (port !== server.port) await assertPortFree(context.paths.cluster, port, source.listenAddresses);
  const overrides = await overridesOf(context);
  const written = await writeConfiguration(context, port);
  const pending = await withServer(server, 'postgres', async session => {
    for (const name of overrides) await session.query(`alter system reset "${name}"`);
    const changed = [...overrides, ...written.changed];
    if (changed.length > 0) context.report(`settings: ${changed.join(', ')}`);
    if (changed.length > 0 || (await hasUnreadFiles(session))) await reload(session);
    return pendingRestart(session);
  });
  const changed = [...new Set([...overrides.map(settingOf), ...written.changed])];
  if (pending.length === 0 || !source.allowRestart) {
    const portWaits = wantedPort === server.port ? [] : ['port'];
    return { port: server.port, changed, restartPending: [...pending, ...portWaits] };
  }
  await restart(context, written, pending);
  return { port, changed: [...changed, 'restarted'], restartPending: [] };
}

async function restart(
  context: ProvisionContext,
  written: Written,
  pending: readonly string[],
): Promise<void> {
  const { installation, paths } = context;
  await withClusterLock(paths.lock, 'restore', 'host apply', async () => {
    context.report(`restarting the server for ${pending.join(', ')}`);
    try {
      await restartServer(installation, paths);
    } catch (error) {
      context.report('it does not start with the new settings: going back to the old ones');
      await written.undo();
      await startServer(installation, paths);
      throw error;
    }
  });
}

async function overridesOf(context: ProvisionContext): Promise<string[]> {
  const file = configurationFiles(context.paths.dataDirectory).overrides;
  return Object.keys(overriding((await readIfThere(file)) ?? '')).sort();
}

const settingOf = (name: string): string => `settings.${name}`;
