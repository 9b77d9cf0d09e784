import path from 'node:path';
import type { Clone, Watch } from '../../engine';
import type { HostContext } from '../context';
import { serverEnvironment } from '../postgres/server';
import { run } from '../process';
import { cloneServer } from './catalog';

/** pg_amcheck reads every page of every table and index once. */
const checkSeconds = 7 * 86_400;
const mostLines = 100;

/**
 * Checks the structure of all tables and B-tree indexes of a clone with `pg_amcheck`, whose extension is installed into the
 * clone only.
 * @returns what is wrong, one line each, at most a hundred.
 */
export async function checkIntegrity(
  context: HostContext,
  clone: Clone,
  { report, signal }: Watch,
): Promise<readonly string[]> {
  const { bin } = await context.installation();
  const server = cloneServer(context, clone.id);
  report({ fraction: null, step: 'checking tables and indexes' });
  const lines: string[] = [];
  const { exitCode, stderr } = await run(
    path.join(bin, 'pg_amcheck'),
    [
      '--all',
      '--install-missing',
      '--no-password',
      `--host=${server.socketDirectory}`,
      `--port=${server.port}`,
      `--username=${server.superuser}`,
    ],
    {
      env: serverEnvironment(),
      timeoutSeconds: checkSeconds,
      signal,
      // 0: nothing found, 2: something is corrupted, 1: it could not check everything, and says why.
      acceptExitCodes: [0, 1, 2],
      onLine: line => {
        if (line.trim() !== '' && lines.length < mostLines) lines.push(line.trim());
      },
    },
  );
  if (exitCode === 0) return [];
  const said = stderr.split('\n').filter(line => /error|warning|fatal/i.test(line));
  const found = [...lines, ...said.map(line => line.trim())].slice(0, mostLines);
  return found.length > 0 ? found : [`pg_amcheck ended with exit code ${exitCode}`];
}
