import path from 'node:path';
import { exists } from '../files';
import { runningPostmaster } from '../postgres/data-directory';
import { restartServer, startServer, stopServer } from '../postgres/server';
import type { HostContext } from '../context';

/** Starts the server in the cluster's data directory; nothing happens when it runs. One that is stopping has to end first. */
export async function startOriginal(context: HostContext): Promise<void> {
  const { paths, specification } = context;
  const running = await runningPostmaster(paths.dataDirectory);
  if (running !== null && running.status !== 'stopping') return;
  const installation = await context.installation();
  // It was told to stop, and that took too long: it runs still, but will not run on.
  if (running !== null) await stopServer(installation, paths);
  const isAdopted = specification.settings.source.mode === 'existing';
  // pg_ctl repeats the options of the last start (`config_file`…) only when it is told to restart, which also starts.
  if (isAdopted && (await exists(path.join(paths.dataDirectory, 'postmaster.opts'))))
    await restartServer(installation, paths);
  else await startServer(installation, paths);
}
