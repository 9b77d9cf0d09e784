import { HoldfastError } from '../core/errors';
import { isRds, type Specification } from '../core/specification';
import { findSpecification } from './context';
import { findRdsSpecification } from './rds/specification';

/**
 * Two stacks never share a cluster of one machine (or of one account and region), by a name that both chose: each would undo
 * what the other applied.
 * @throws HoldfastError `refused` when another stack applied it.
 */
export async function assertOwnStack(home: string, specification: Specification): Promise<void> {
  const { cluster, stack } = specification;
  const applied = isRds(specification)
    ? await findRdsSpecification(specification.settings.region, cluster)
    : await findSpecification(home, cluster);
  if (applied === null || applied.stack === stack) return;
  const [here, kept] = isRds(specification)
    ? [`in ${specification.settings.region}`, `the parameter /holdfast/${cluster}/specification`]
    : ['on this machine', `${home}/clusters/${cluster}/specification.json`];
  throw new HoldfastError(
    'refused',
    `cluster ${cluster} ${here} belongs to the stack ${applied.stack}, not to ${stack}: nothing was changed`,
    {
      hint: `Give this stack's cluster another name. Was the stack itself renamed? Then correct "stack" in ${kept}.`,
    },
  );
}
