import type { Inspection } from '../../core/host-documents';
import type { RdsSpecification } from '../../core/specification';
import { audited } from '../audit';
import { openSpecified } from '../context';
import { awsEngine } from './engine';

/** Enters first provision or adoption of a cluster on Amazon RDS, before anything is created. */
export async function beginRds(specification: RdsSpecification): Promise<unknown> {
  return (await awsEngine()).beginCluster(specification);
}

/** Records that the instance was made what it shall be. */
export async function applyRds(
  specification: RdsSpecification,
  revision: number,
  signal: AbortSignal,
): Promise<unknown> {
  const { applyInstance } = await awsEngine();
  return auditedOn(specification, 'apply', signal, () => applyInstance(specification, revision));
}

/** How the instance differs from what it shall be; changes nothing. */
export async function inspectRds(specification: RdsSpecification): Promise<Inspection> {
  return (await awsEngine()).inspectInstance(specification);
}

/** @throws HoldfastError `refused` as long as there is an instance of the cluster; the refusal is audited. */
export async function sealRds(specification: RdsSpecification, signal: AbortSignal): Promise<void> {
  const { sealInstance } = await awsEngine();
  await auditedOn(specification, 'destroy of the production stack', signal, () =>
    sealInstance(specification),
  );
}

async function auditedOn<T>(
  specification: RdsSpecification,
  what: string,
  signal: AbortSignal,
  job: () => Promise<T>,
): Promise<T> {
  const { name, engine } = await openSpecified('/', specification);
  return audited(engine.memory, { what, cluster: name }, signal, job);
}
