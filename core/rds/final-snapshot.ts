import { createHash } from 'node:crypto';
import { HoldfastError } from '../errors';

/**
 * What the snapshot is called that RDS takes when the instance is deleted. AWS refuses a deletion whose final snapshot has a
 * name that is taken, so it has to be another one for each instance that ever has this identifier, and yet the same in every
 * update: it is made of what an instance keeps for its life.
 * @param lifelong What no later instance has: the security group that was made for it, and what would replace it.
 * @throws HoldfastError `configuration` when RDS wouldn't take it: at creation, and not when somebody has to delete.
 */
export function finalSnapshotName(instance: string, lifelong: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify(lifelong)).digest('hex').slice(0, 12);
  const name = `${instance}-final-${hash}`;
  if (/^[a-z](?:-?[a-z0-9]){0,254}$/.test(name)) return name;
  throw new HoldfastError('configuration', `“${name}” can’t be the name of a final snapshot`, {
    hint: 'It is made of the identifier of the instance: lower-case letters, digits and single "-" inside.',
  });
}
