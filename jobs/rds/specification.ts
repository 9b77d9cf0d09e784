import type { RdsSpecification } from '../../core/specification';
import { awsEngine } from './engine';

/**
 * What a cluster on Amazon RDS shall be, as `pulumi up` wrote it.
 * @throws HoldfastError `configuration` when nothing is written there, or something else.
 */
export async function readRdsSpecification(region: string, cluster: string): Promise<RdsSpecification> {
  const { readSpecification } = await awsEngine();
  return readSpecification(region, cluster);
}

/** The same; null when nothing is written. */
export async function findRdsSpecification(
  region: string,
  cluster: string,
): Promise<RdsSpecification | null> {
  const { findSpecification } = await awsEngine();
  return findSpecification(region, cluster);
}
