import path from 'node:path';
import { exists } from '../files';
import { runningPostmaster } from '../postgres/data-directory';
import { restartServer, startServer } from '../postgres/server';
import type { HostContext } from '../context';

/** Starts the server in the cluster's data directory; nothing happens when it runs. */
export async function startOriginal(context: HostContext): Promise<void> {
  const { paths, specification } = context;
  if ((await runningPostmaster(paths.dataDirectory)) !== null) return;
  const installation = await context.installation();
  const isAdopted = specification.settings.source.mode === 'existing';
  // pg_ctl repeats the options of the last start (`config_file`…) only when it is told to restart, which also starts.
  if (isAdopted && (await exists(path.join(paths.dataDirectory, 'postmaster.opts'))))
    await restartServer(installation, paths);
  else await startServer(installation, paths);
}
