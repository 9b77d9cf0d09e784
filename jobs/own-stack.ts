import { HoldfastError } from '../core/errors';
import type { Specification } from '../core/specification';
import { findSpecification } from './context';

/**
 * Two stacks never share a cluster of one machine, by a name that both chose: each would undo what the other applied.
 * @throws HoldfastError `refused` when another stack applied it.
 */
export async function assertOwnStack(home: string, { cluster, stack }: Specification): Promise<void> {
  const applied = await findSpecification(home, cluster);
  if (applied === null || applied.stack === stack) return;
  throw new HoldfastError(
    'refused',
    `cluster ${cluster} on this machine belongs to the stack ${applied.stack}, not to ${stack}: nothing was changed`,
    {
      hint: `Give this stack's cluster another name. Was the stack itself renamed? Then correct "stack" in ${home}/clusters/${cluster}/specification.json.`,
    },
  );
}
