import { asHoldfastError, HoldfastError } from '../../../core/errors';
import { readIfThere, writeAtomically } from '../files';
import { assertReadable, ensureStanza, LostRepository, stanzaInfo } from '../pgbackrest/stanza';
import { pgBackRestConfiguration, pgBackRestOf, type ProvisionContext } from './context';

/** Writes pgbackrest.conf. @returns whether it changed. */
export async function writePgBackRestConfiguration(
  context: Pick<ProvisionContext, 'specification' | 'paths'>,
  port: number,
): Promise<boolean> {
  const wanted = pgBackRestConfiguration(context, port);
  if ((await readIfThere(context.paths.configuration)) === wanted) return false;
  await writeAtomically(context.paths.configuration, wanted);
  return true;
}

/**
 * Refuses to create a cluster whose name a repository already knows: its data is somewhere, on a disk that isn't mounted or
 * in the backups, and a new cluster would take its place.
 */
export async function refuseKnownStanza(context: ProvisionContext): Promise<void> {
  const { specification, paths } = context;
  for (const index of specification.settings.backups.repositories.keys()) {
    const pgbackrest = pgBackRestOf(context);
    const info = await stanzaInfo(pgbackrest, index + 1);
    assertReadable(pgbackrest, info, index + 1);
    const { systemIdentifier, sets } = info;
    if (systemIdentifier === null) continue;
    throw new HoldfastError(
      'refused',
      `repository ${index + 1} has ${sets.length} backup sets of a cluster ${specification.cluster} (system identifier ${systemIdentifier}), but neither its record nor its data is in ${paths.root}`,
      {
        hint: 'Mount the disk that they are on; restore it from the repository (docs/operations.md); or give the new cluster another name or repository. Nothing was created.',
      },
    );
  }
}

export const noRepositories: ReadonlySet<number> = new Set();

/** The repositories (from 1) that are where pgbackrest.conf, as it is now, has them. */
export async function sameRepositories(
  context: Pick<ProvisionContext, 'specification' | 'paths'>,
  port: number,
): Promise<ReadonlySet<number>> {
  const before = placesIn((await readIfThere(context.paths.configuration)) ?? '');
  const wanted = placesIn(pgBackRestConfiguration(context, port));
  return new Set([...wanted].filter(([key, place]) => before.get(key) === place).map(([key]) => key));
}

/** What says where each repository is. */
function placesIn(configuration: string): Map<number, string> {
  const places = new Map<number, string>();
  for (const line of configuration.split('\n')) {
    const key = Number(/^repo(\d+)-(?:path|type|s3-bucket|s3-endpoint)=/.exec(line)?.[1] ?? 0);
    if (key > 0) places.set(key, `${places.get(key) ?? ''}${line}\n`);
  }
  return places;
}

/**
 * Sees to the cluster's stanza, and proves that archiving works.
 * @param options.prove also when the stanza was there before.
 * @param options.known the repositories that had it at the last apply: one that lacks it now isn't made anew.
 * @throws HoldfastError when it can't; of a cluster that was applied before, under break-glass, only what is refused because the
 * stanza is another cluster's.
 */
export async function provideStanza(
  context: ProvisionContext,
  systemIdentifier: string,
  { prove, known }: { readonly prove: boolean; readonly known: ReadonlySet<number> },
): Promise<void> {
  const pgbackrest = pgBackRestOf(context);
  const repositories = context.specification.settings.backups.repositories.length;
  try {
    await ensureStanza(pgbackrest, systemIdentifier, repositories, known);
    if (!prove) return;
    context.report('checking that WAL reaches the repository');
    await pgbackrest.run('check', []);
  } catch (error) {
    if (known.size === 0 || context.breakGlass === undefined || !isWaivable(error)) throw error;
    const { message } = asHoldfastError(error);
    context.report(`BREAK-GLASS: going on without the repository: ${message}. ${context.breakGlass}`);
  }
}

/** A repository that is lost or broken; what is refused beyond that is another cluster's. */
function isWaivable(error: unknown): boolean {
  return error instanceof LostRepository || asHoldfastError(error).code !== 'refused';
}
