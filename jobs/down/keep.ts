import fs from 'node:fs/promises';
import path from 'node:path';
import { clusterPaths } from '../../engines/host/layout';
import type { FinalBackup } from './final-backup';

/**
 * Puts aside what the cluster can be restored from with bare pgBackRest (docs/operations.md), while it is still there: its
 * configuration, with the repository's passphrase if it has one.
 */
export async function keepConfiguration(home: string, final: FinalBackup): Promise<void> {
  const paths = clusterPaths(home, final.specification.cluster);
  const owner = await fs.stat(paths.configuration).catch(() => null);
  // Erased already, so kept already.
  if (owner === null) return;
  await fs.mkdir(path.dirname(final.kept), { recursive: true, mode: 0o755 });
  await fs.mkdir(final.kept, { recursive: true, mode: 0o700 });
  const configuration = await fs.readFile(paths.configuration, 'utf8');
  await fs.writeFile(
    path.join(final.kept, 'pgbackrest.conf'),
    forRestore(configuration, places(home, final)),
    {
      mode: 0o600,
    },
  );
  for (const name of ['', ...(await fs.readdir(final.kept))])
    await fs.lchown(path.join(final.kept, name), owner.uid, owner.gid);
}

/** Puts the audit log aside, once the erasing of the data is on it. */
export async function keepAudit(home: string, { specification, kept }: FinalBackup): Promise<void> {
  const { audit } = clusterPaths(home, specification.cluster);
  const found = await fs.stat(audit).catch(() => null);
  // Erased already, so kept already.
  if (found === null) return;
  const copy = path.join(kept, 'audit.jsonl');
  await fs.copyFile(audit, copy);
  await fs.lchown(copy, found.uid, found.gid);
}

/** The repository where it will be, and nothing of the places that go with the cluster. */
function forRestore(configuration: string, { from, to }: ReturnType<typeof places>): string {
  const kept = configuration
    .split('\n')
    .filter(line => !/^(log-path|log-level-file|lock-path|spool-path|archive-async|pg1-.*)=/.test(line))
    .map(line => (line === `repo1-path=${from}` ? `repo1-path=${to}` : line))
    .join('\n');
  return kept.replace('[global]\n', '[global]\nlog-level-file=off\n');
}

/** Moves the repository aside, so that a new cluster of the same name begins with an empty one. An object store's stays. */
export async function keepRepository(home: string, final: FinalBackup): Promise<void> {
  const { from, to } = places(home, final);
  if (from === null) return;
  await fs.rename(from, to).catch((error: unknown) => {
    // It was moved before an interruption.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
}

/** Where the repository is, null when it isn't in a directory, and where it will be: on the same disk. */
function places(home: string, { specification, kept }: FinalBackup): { from: string | null; to: string } {
  const [first] = specification.settings.backups.repositories;
  if (first?.type !== 'local') return { from: null, to: kept };
  if (first.path === undefined)
    return {
      from: clusterPaths(home, specification.cluster).repository,
      to: path.join(kept, 'repository'),
    };
  const from = path.normalize(first.path);
  return { from, to: `${from}-${path.basename(kept)}` };
}
