import type { Inspection } from '../../core/host-documents';
import type { RdsSpecification } from '../../core/specification';
import { awsEngine } from './engine';

/** Enters first provision or adoption of a cluster on Amazon RDS, before anything is created. */
export async function beginRds(specification: RdsSpecification): Promise<unknown> {
  return (await awsEngine()).beginCluster(specification);
}

/** Records that the instance was made what it shall be. */
export async function applyRds(specification: RdsSpecification, revision: number): Promise<unknown> {
  return (await awsEngine()).applyInstance(specification, revision);
}

/** How the instance differs from what it shall be; changes nothing. */
export async function inspectRds(specification: RdsSpecification): Promise<Inspection> {
  return (await awsEngine()).inspectInstance(specification);
}

/** @throws HoldfastError `refused` as long as there is an instance of the cluster. */
export async function sealRds(specification: RdsSpecification): Promise<void> {
  await (await awsEngine()).sealInstance(specification);
}
