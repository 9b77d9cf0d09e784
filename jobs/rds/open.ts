import { openRdsEngine, readSpecification } from '../../engines/rds/main';
import type { Cluster } from '../cluster';

/**
 * Opens a cluster on Amazon RDS where AWS’s SDK is there from the beginning: in the function on Lambda.
 * @throws HoldfastError `configuration` when it isn't provisioned in that region.
 */
export async function openRdsCluster(region: string, name: string): Promise<Cluster> {
  const specification = await readSpecification(region, name);
  return { name, specification, engine: openRdsEngine(specification) };
}
