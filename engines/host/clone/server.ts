import { spawn } from 'node:child_process';
import fs from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HoldfastError } from '../../../core/errors';
import type { Watch } from '../../engine';
import type { HostContext } from '../context';
import { serverEnvironment, stopServer } from '../postgres/server';
import { onlyRow, withServer } from '../session';
import { cloneServer, type ClonePaths } from './catalog';
import { readRecoveryLog, silentLog, type RecoveryLog } from './recovery-log';

/**
 * Starts a clone's server and waits until it has recovered and answers queries, or says why not. The server outlives this
 * process; whoever finds it later stops it with the clone.
 *
 * @returns what it said; `fatal` is set when it gave up.
 */
export async function recover(
  context: HostContext,
  paths: ClonePaths,
  { report, signal }: Watch,
): Promise<RecoveryLog> {
  const server = await start(context, paths);
  const follow = follower(paths.serverLog);
  for (;;) {
    const ended = server.ended();
    const log = await follow();
    if (ended) return { ...log, fatal: log.fatal ?? 'it ended without a word' };
    if (log.segment !== null) report({ fraction: null, step: `replaying WAL ${log.segment}` });
    if (signal.aborted) {
      await stopClone(context, paths);
      signal.throwIfAborted();
    }
    if (log.ready && (await answers(context, paths))) return log;
    await sleep(40);
  }
}

/** Stops a clone's server cleanly. */
export async function stopClone(
  context: HostContext,
  paths: ClonePaths,
  mode: 'fast' | 'immediate' = 'immediate',
): Promise<void> {
  const cluster = path.basename(paths.root);
  await stopServer(
    await context.installation(),
    { dataDirectory: paths.dataDirectory, log: paths.root, cluster },
    mode,
  );
}

async function start(context: HostContext, paths: ClonePaths): Promise<{ ended: () => boolean }> {
  const { bin } = await context.installation();
  const log = await fs.open(paths.serverLog, 'w', 0o600);
  try {
    const child = spawn(
      path.join(bin, 'postgres'),
      ['-D', paths.dataDirectory, '-c', `config_file=${paths.settings}`],
      { cwd: '/', env: serverEnvironment(), detached: true, stdio: ['ignore', log.fd, log.fd] },
    );
    let over = false;
    child.once('exit', () => (over = true));
    await new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', cause => {
        reject(
          new HoldfastError('engine-failed', `the clone’s server could not be started: ${cause.message}`, {
            cause,
          }),
        );
      });
    });
    child.unref();
    return { ended: () => over };
  } finally {
    await log.close();
  }
}

async function answers(context: HostContext, paths: ClonePaths): Promise<boolean> {
  const server = cloneServer(context, path.basename(paths.root));
  try {
    return await withServer(server, 'postgres', async session => {
      const row = await onlyRow<{ recovering: boolean }>(session, 'select pg_is_in_recovery() as recovering');
      return !row.recovering;
    });
  } catch {
    return false;
  }
}

/** Reads what was added to a log since the last time. */
function follower(file: string): () => Promise<RecoveryLog> {
  let state = silentLog;
  let offset = 0;
  let rest = '';
  return async () => {
    const handle = await fs.open(file, 'r');
    try {
      const { size } = await handle.stat();
      const { buffer, bytesRead } = await handle.read(
        Buffer.alloc(Math.max(0, size - offset)),
        0,
        Math.max(0, size - offset),
        offset,
      );
      offset += bytesRead;
      const text = rest + buffer.subarray(0, bytesRead).toString('utf8');
      const end = text.lastIndexOf('\n') + 1;
      rest = text.slice(end);
      state = readRecoveryLog(state, text.slice(0, end));
      return state;
    } finally {
      await handle.close();
    }
  };
}
