import * as z from 'zod';
import { HoldfastError } from '../core/errors';
import { breakGlass } from '../core/settings/stack';
import { name } from '../core/settings/values';
import { parseSpecification, type Specification } from '../core/specification';
import type { Watch } from '../engines/engine';
import type { Cluster } from './cluster';
import { findSpecification, openCluster, openSpecified } from './context';
import { assertOwnStack } from './own-stack';

/*
 * What Pulumi, the policy pack and the timer ask of a cluster's machine (docs/architecture.md, core/host-documents.ts): each
 * reads one document and answers with one.
 */

type HostJob = (home: string, document: unknown, watch: Watch) => Promise<unknown>;

const breakGlassState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('none') }),
  z.object({ state: z.literal('invalid'), reason: z.string() }),
  z.object({ state: z.literal('active'), grant: breakGlass, remainingSeconds: z.number() }),
]);

const clusterRequest = z.object({ cluster: name });
const eraseRequest = z.object({
  specification: z.unknown(),
  backupSet: z.string().min(1),
  what: z.enum(['data', 'all']),
});
const specifiedRequest = z.object({ cluster: name, specification: z.unknown().optional() });
const applyRequest = z.object({ specification: z.unknown(), revision: z.number().int().min(0) });
const gateRecord = z.object({
  cluster: name,
  operation: z.enum(['preview', 'update']),
  stack: z.string().min(1),
  decision: z.enum(['allowed', 'allowed-under-break-glass', 'blocked']),
  reasons: z.array(z.string()),
});
const snapshotRequest = specifiedRequest.extend({
  change: z.string().min(1),
  dryRun: z.boolean().default(false),
  breakGlass: breakGlassState.default({ state: 'none' }),
});
const declaredPromises = z.object({
  settings: z.object({
    backups: z.object({ rto: z.number(), snapshot: z.enum(['when-needed', 'always']) }),
  }),
});

const evidence: HostJob = async (home, document) => {
  const { engine } = await openRequested(home, read(specifiedRequest, document));
  return engine.evidence();
};

const report: HostJob = async (home, document) => {
  const { reportOn } = await import('./status');
  return reportOn(await openCluster(home, read(clusterRequest, document).cluster));
};

const snapshot: HostJob = async (home, document, watch) => {
  const { snapshotBeforeChange } = await import('./snapshot');
  const request = read(snapshotRequest, document);
  // Without the rest: this may be the program of an earlier version, which doesn't know all of it.
  const declared = declaredPromises.safeParse(request.specification).data?.settings.backups;
  const cluster = await openRequested(home, request);
  return snapshotBeforeChange(cluster, { ...request, ...(declared && { declared }) }, watch);
};

const apply: HostJob = async (home, document, watch) => {
  const { applyCluster } = await import('./provision');
  const { specification, revision } = read(applyRequest, document);
  return applyCluster(home, { specification: await ownSpecification(home, specification), revision }, watch);
};

const databases: HostJob = async (home, document, watch) => {
  const { keepDatabasesOf } = await import('./provision');
  const { cluster } = read(clusterRequest, document);
  return { cluster, changed: await keepDatabasesOf(home, cluster, watch) };
};

const inspect: HostJob = async (home, document) => {
  const { inspectHere } = await import('./provision');
  return inspectHere(home, await ownSpecification(home, read(specifiedRequest, document).specification));
};

const gate: HostJob = async (home, document) => {
  const { recordGate } = await import('./gate-record');
  return recordGate(home, read(gateRecord, document));
};

const start: HostJob = async (home, document) => {
  const { name: cluster, specification } = await openCluster(home, read(clusterRequest, document).cluster);
  const { start: startServer } = await import('../engines/host/provision/power');
  return { cluster, started: await startServer(specification, home) };
};

const stop: HostJob = async (home, document) => {
  const { name: cluster, specification } = await openCluster(home, read(clusterRequest, document).cluster);
  const { stop: stopServer } = await import('../engines/host/provision/power');
  return { cluster, stopped: await stopServer(specification, home) };
};

const schedule: HostJob = async (home, document) => {
  const { installTimer } = await import('./timer');
  return installTimer(home, read(clusterRequest, document).cluster);
};

const unschedule: HostJob = async (home, document) => {
  const { removeTimer } = await import('./timer');
  return removeTimer(home, read(clusterRequest, document).cluster);
};

const erase: HostJob = async (home, document, watch) => {
  const { eraseCluster } = await import('./erase');
  const { specification, ...request } = read(eraseRequest, document);
  const parsed = parseSpecification(specification);
  await eraseCluster(home, { ...request, specification: parsed }, watch);
  return { cluster: parsed.cluster };
};

const remove: HostJob = async (home, document, watch) => {
  const { removeCluster } = await import('./removal');
  const { cluster, specification } = read(specifiedRequest, document);
  // What an interrupted removal left doesn't include the specification.
  const known = (await findSpecification(home, cluster)) ?? specificationOf(cluster, specification);
  await removeCluster(home, known, watch);
  return { cluster, removed: true };
};

const seal: HostJob = async (home, document, watch) => {
  const { sealCluster } = await import('./removal');
  const { cluster } = read(clusterRequest, document);
  await sealCluster(home, cluster, watch);
  return { cluster, sealed: false };
};

export const hostJobs = {
  apply,
  databases,
  inspect,
  evidence,
  report,
  snapshot,
  gate,
  start,
  stop,
  schedule,
  unschedule,
  remove,
  seal,
  erase,
} satisfies Record<string, HostJob>;

export type HostJobName = keyof typeof hostJobs;

/** What was applied counts; only a cluster that is not here yet is taken as the caller says that it shall be. */
async function openRequested(
  home: string,
  request: { readonly cluster: string; readonly specification?: unknown },
): Promise<Cluster> {
  const { cluster, specification } = request;
  if (specification === undefined) return openCluster(home, cluster);
  const applied = await findSpecification(home, cluster);
  return openSpecified(home, applied ?? specificationOf(cluster, specification));
}

async function ownSpecification(home: string, document: unknown): Promise<Specification> {
  const specification = parseSpecification(document);
  await assertOwnStack(home, specification);
  return specification;
}

function specificationOf(cluster: string, document: unknown): Specification {
  const specification = parseSpecification(document);
  if (specification.cluster === cluster) return specification;
  throw new HoldfastError(
    'configuration',
    `the specification is of ${specification.cluster}, not ${cluster}`,
  );
}

function read<T>(schema: z.ZodType<T>, document: unknown): T {
  const parsed = schema.safeParse(document);
  if (parsed.success) return parsed.data;
  throw new HoldfastError(
    'configuration',
    `the document on standard input is not understood: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`,
    { hint: 'docs/architecture.md and core/host-documents.ts say what each command reads.' },
  );
}
