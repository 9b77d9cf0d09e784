import type { Inspection } from '../../core/host-documents';
import type { RdsSpecification } from '../../core/specification';
import { audited } from '../audit';
import { openSpecified } from '../context';
import { awsEngine } from './engine';
import { findRdsSpecification, readRdsSpecification } from './specification';

/** Enters first provision or adoption of a cluster on Amazon RDS, before anything is created. */
export async function beginRds(specification: RdsSpecification): Promise<unknown> {
  return (await awsEngine()).beginCluster(specification);
}

/** Records that the instance was made what it shall be; where its databases are managed, makes what comes before them. */
export async function applyRds(
  specification: RdsSpecification,
  revision: number,
  signal: AbortSignal,
): Promise<unknown> {
  const { applyInstance } = await awsEngine();
  return auditedOn(specification, 'apply', signal, () => applyInstance(specification, revision));
}

/** Sees to what in the declared databases only the master user can; what was changed. */
export async function keepDatabasesOfRds(
  region: string,
  cluster: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const specification = await readRdsSpecification(region, cluster);
  const { keepDatabases } = await awsEngine();
  return auditedOn(
    specification,
    'databases',
    signal,
    () => keepDatabases(specification),
    changed => (changed.length === 0 ? 'nothing to change' : changed.join(', ')),
  );
}

/** How the instance differs from what it shall be; changes nothing. */
export async function inspectRds(specification: RdsSpecification): Promise<Inspection> {
  const { cluster, settings } = specification;
  const { inspectInstance } = await awsEngine();
  const managed = settings.reach !== undefined && Object.keys(settings.databases).length > 0;
  const applied = managed ? await findRdsSpecification(settings.region, cluster) : null;
  return inspectInstance(specification, applied?.settings ?? null);
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
  detail?: (result: T) => string,
): Promise<T> {
  const { name, engine } = await openSpecified('/', specification);
  return audited(engine.memory, { what, cluster: name }, signal, job, detail);
}
