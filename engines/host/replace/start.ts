import { runningPostmaster } from '../postgres/data-directory';
import { startServer } from '../postgres/server';
import type { HostContext } from '../context';

/** Starts the server in the cluster's data directory; nothing happens when it runs. */
export async function startOriginal(context: HostContext): Promise<void> {
  if ((await runningPostmaster(context.paths.dataDirectory)) !== null) return;
  await startServer(await context.installation(), context.paths);
}
