import { HoldfastError } from '../../../core/errors';
import type { PgBackRest } from './command';
import type { StanzaInfo } from './info';
import { parseInfo } from './info';

export async function stanzaInfo(pgbackrest: PgBackRest, repository = 1): Promise<StanzaInfo> {
  const text = await pgbackrest.run('info', ['--output=json', `--repo=${repository}`]);
  return parseInfo(text, pgbackrest.stanza, repository);
}

/** A repository that had a cluster's stanza has nothing of it any more. */
export class LostRepository extends HoldfastError {}

/**
 * Sees to it that each repository has the cluster's stanza. Idempotent; never upgrades one: a stanza of another system
 * identifier is another cluster's, and stays as it is.
 *
 * @param systemIdentifier of the cluster's data directory.
 * @param known the repositories that had the stanza before: one that lacks it now isn't mounted, or lost.
 * @throws HoldfastError `refused` when the stanza belongs to another cluster, or is gone (`LostRepository`); `engine-failed` when
 * a repository can't be read or written.
 */
export async function ensureStanza(
  pgbackrest: PgBackRest,
  systemIdentifier: string,
  repositories = 1,
  known: ReadonlySet<number> = new Set(),
): Promise<void> {
  for (let repository = 1; repository <= repositories; repository += 1) {
    const before = await stanzaInfo(pgbackrest, repository);
    if (before.systemIdentifier !== null) {
      refuseOther(pgbackrest, before.systemIdentifier, systemIdentifier);
      continue;
    }
    assertReadable(pgbackrest, before, repository);
    if (known.has(repository)) throw gone(pgbackrest, repository);
    await pgbackrest.run('stanza-create', []);
    const after = await stanzaInfo(pgbackrest, repository);
    if (after.systemIdentifier === null)
      throw new HoldfastError(
        'engine-failed',
        `pgbackrest created no stanza ${pgbackrest.stanza} in repository ${repository}`,
        { hint: `See ${pgbackrest.stanza}-stanza-create.log in the cluster’s log directory.` },
      );
    refuseOther(pgbackrest, after.systemIdentifier, systemIdentifier);
  }
}

/** The codes with which pgBackRest says that a repository has nothing of a stanza: missing path, missing data. */
const absent: ReadonlySet<number> = new Set([1, 3]);

/**
 * A repository that can't be read may have the stanza: with a wrong passphrase pgBackRest prints neither a system
 * identifier nor an error, only a status.
 * @throws HoldfastError `engine-failed` when it isn't known whether the repository has the stanza.
 */
export function assertReadable({ stanza }: PgBackRest, info: StanzaInfo, repository: number): void {
  if (info.systemIdentifier !== null) return;
  const status = info.repositories.find(({ key }) => key === repository);
  if (status === undefined || absent.has(status.code)) return;
  throw new HoldfastError(
    'engine-failed',
    `repository ${repository} of cluster ${stanza} can’t be read: ${status.message}`,
    { hint: 'Is its disk mounted and readable, and its passphrase the one that it was made with?' },
  );
}

function gone({ stanza, configurationFile }: PgBackRest, repository: number): LostRepository {
  return new LostRepository(
    'refused',
    `repository ${repository} had the backups of cluster ${stanza}, and has nothing of it any more`,
    {
      hint: `Is its disk mounted? Nothing is made anew in its place. When it is lost for good, name another repository, or begin it again as the cluster’s owner: pgbackrest --config=${configurationFile} --stanza=${stanza} stanza-create`,
    },
  );
}

function refuseOther(pgbackrest: PgBackRest, found: string, expected: string): void {
  if (found === expected) return;
  throw new HoldfastError(
    'refused',
    `the stanza ${pgbackrest.stanza} belongs to another cluster: its system identifier is ${found}, that of the data directory ${expected}`,
    {
      hint: 'Give this cluster another name or repository, or bring back the data directory that the stanza belongs to. Nothing was changed.',
    },
  );
}
