import { HoldfastError } from '../core/errors';
import type { Applied, ApplyRequest, Inspection } from '../core/host-documents';
import type { HostSpecification } from '../core/specification';
import type { Watch } from '../engines/engine';
import { fileMemory } from '../engines/host/memory';
import { audited, requester } from './audit';
import { clusterDirectory, openSpecified, readSpecification } from './context';
import { breakGlassInForce } from './pending-break-glass';
import { ownProgram } from './program';

/**
 * Makes a cluster what its specification says, on this machine, and installs the program that its timer runs.
 * Can be interrupted anywhere: the next one completes it.
 */
export async function applyCluster(
  home: string,
  request: ApplyRequest<HostSpecification>,
  watch: Watch,
): Promise<Applied> {
  const { specification } = request;
  // Before the process becomes the cluster's owner.
  process.env.HOLDFAST_REQUESTER ??= requester();
  const { apply } = await import('../engines/host/provision/apply');
  const memory = fileMemory(clusterDirectory(home, specification.cluster));
  const outcome = await audited(
    memory,
    { what: 'apply', cluster: specification.cluster },
    watch.signal,
    async () =>
      apply(request, {
        home,
        program: ownProgram().file,
        report: step => watch.report({ fraction: null, step }),
        // The snapshot before this change has left it there.
        breakGlass: await breakGlassInForce(memory, new Date().toISOString()),
      }),
    ({ changed }) => (changed.length === 0 ? 'nothing to change' : changed.join(', ')),
  );
  const { restartPending } = outcome;
  if (restartPending.length > 0)
    watch.report({
      fraction: null,
      step: `waiting for a restart, which source.allowRestart doesn't allow: ${restartPending.join(', ')}`,
    });
  return outcome.applied;
}

/** Sees to what in the declared databases only a superuser can; what was changed. */
export async function keepDatabasesOf(
  home: string,
  cluster: string,
  watch: Watch,
): Promise<readonly string[]> {
  const { specification, engine } = await openSpecified(home, await readSpecification(home, cluster));
  const { keepDatabases } = await import('../engines/host/provision/databases');
  return audited(
    engine.memory,
    { what: 'databases', cluster },
    watch.signal,
    () => keepDatabases(specification, home),
    changed => (changed.length === 0 ? 'nothing to change' : changed.join(', ')),
  );
}

/** How a cluster on this machine differs from its specification; changes nothing. */
export async function inspectHere(home: string, specification: HostSpecification): Promise<Inspection> {
  const { becomeOwner } = await import('../engines/host/owner');
  const { inspect } = await import('../engines/host/provision/inspect');
  try {
    becomeOwner(specification.settings.owner);
  } catch (error) {
    // Before the first apply the owner may not exist yet: there is nothing of the cluster either.
    if (!(error instanceof HoldfastError) || error.code !== 'configuration') throw error;
  }
  return inspect(specification, { home });
}
