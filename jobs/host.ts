import * as z from 'zod';
import { HoldfastError } from '../core/errors';
import { breakGlass } from '../core/settings/stack';
import { name } from '../core/settings/values';
import {
  isHost,
  isRds,
  ofEngine,
  parseHostSpecification,
  parseSpecification,
  type HostSpecification,
  type Specification,
} from '../core/specification';
import type { Watch } from '../engines/engine';
import type { Cluster } from './cluster';
import { findSpecification, openCluster, openSpecified, readSpecification } from './context';
import { assertOwnStack } from './own-stack';
import { applyRds, beginRds, inspectRds, keepDatabasesOfRds, sealRds } from './rds/provision';
import { findRdsSpecification } from './rds/specification';
import type { Where } from './where';

/*
 * What Pulumi, the policy pack and the timer ask where a cluster is looked after (docs/architecture.md,
 * core/host-documents.ts): each reads one document and answers with one.
 */

type HostJob = (where: Where, document: unknown, watch: Watch) => Promise<unknown>;

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

const evidence: HostJob = async (where, document) => {
  const { engine } = await openRequested(where, read(specifiedRequest, document));
  return engine.evidence();
};

const report: HostJob = async (where, document) => {
  const { reportOn } = await import('./status');
  return reportOn(await openCluster(where, read(clusterRequest, document).cluster));
};

const snapshot: HostJob = async (where, document, watch) => {
  const { snapshotBeforeChange } = await import('./snapshot');
  const request = read(snapshotRequest, document);
  // Without the rest: this may be the program of an earlier version, which doesn't know all of it.
  const declared = declaredPromises.safeParse(request.specification).data?.settings.backups;
  const cluster = await openRequested(where, request);
  return snapshotBeforeChange(cluster, { ...request, ...(declared && { declared }) }, watch);
};

const begin: HostJob = async (where, document) => {
  const { specification } = read(specifiedRequest, document);
  return beginRds(ofEngine(await ownSpecification(where, specification), isRds, 'rds'));
};

const apply: HostJob = async (where, document, watch) => {
  const { specification, revision } = read(applyRequest, document);
  const own = await ownSpecification(where, specification);
  if (isRds(own)) return applyRds(own, revision, watch.signal);
  const { applyCluster } = await import('./provision');
  return applyCluster(where.home, { specification: ofEngine(own, isHost, 'host'), revision }, watch);
};

const inspect: HostJob = async (where, document) => {
  const own = await ownSpecification(where, read(specifiedRequest, document).specification);
  if (isRds(own)) return inspectRds(own);
  const { inspectHere } = await import('./provision');
  return inspectHere(where.home, ofEngine(own, isHost, 'host'));
};

const seal: HostJob = async (where, document, watch) => {
  const { cluster, specification } = read(specifiedRequest, document);
  if (where.region === undefined) {
    const { sealCluster } = await import('./removal');
    await sealCluster(where.home, cluster, watch);
  } else await sealRds(ofEngine(specificationOf(cluster, specification), isRds, 'rds'), watch.signal);
  return { cluster, sealed: false };
};

const gate: HostJob = async (where, document) => {
  const { recordGate } = await import('./gate-record');
  return recordGate(where, read(gateRecord, document));
};

const databases: HostJob = async ({ home, region }, document, watch) => {
  const { cluster } = read(clusterRequest, document);
  if (region !== undefined)
    return { cluster, changed: await keepDatabasesOfRds(region, cluster, watch.signal) };
  const { keepDatabasesOf } = await import('./provision');
  return { cluster, changed: await keepDatabasesOf(home, cluster, watch) };
};

/* The others are of clusters on this machine only. */

const start: HostJob = async ({ home }, document) => {
  const { name: cluster, specification } = await openHere(home, document);
  const { start: startServer } = await import('../engines/host/provision/power');
  return { cluster, started: await startServer(specification, home) };
};

const stop: HostJob = async ({ home }, document) => {
  const { name: cluster, specification } = await openHere(home, document);
  const { stop: stopServer } = await import('../engines/host/provision/power');
  return { cluster, stopped: await stopServer(specification, home) };
};

const schedule: HostJob = async ({ home }, document) => {
  const { installTimer } = await import('./timer');
  return installTimer(home, read(clusterRequest, document).cluster);
};

const unschedule: HostJob = async ({ home }, document) => {
  const { removeTimer } = await import('./timer');
  return removeTimer(home, read(clusterRequest, document).cluster);
};

const erase: HostJob = async ({ home }, document, watch) => {
  const { eraseCluster } = await import('./erase');
  const { specification, ...request } = read(eraseRequest, document);
  const parsed = parseHostSpecification(specification);
  await eraseCluster(home, { ...request, specification: parsed }, watch);
  return { cluster: parsed.cluster };
};

const remove: HostJob = async ({ home }, document, watch) => {
  const { removeCluster } = await import('./removal');
  const { cluster, specification } = read(specifiedRequest, document);
  // What an interrupted removal left doesn't include the specification.
  const known =
    (await findSpecification(home, cluster)) ??
    ofEngine(specificationOf(cluster, specification), isHost, 'host');
  await removeCluster(home, known, watch);
  return { cluster, removed: true };
};

export const hostJobs = {
  begin,
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
  where: Where,
  request: { readonly cluster: string; readonly specification?: unknown },
): Promise<Cluster> {
  const { cluster, specification } = request;
  if (specification === undefined) return openCluster(where, cluster);
  const { home, region } = where;
  const applied =
    region === undefined
      ? await findSpecification(home, cluster)
      : await findRdsSpecification(region, cluster);
  return openSpecified(home, applied ?? specificationOf(cluster, specification));
}

async function openHere(home: string, document: unknown) {
  const { cluster } = read(clusterRequest, document);
  return openSpecified<HostSpecification>(home, await readSpecification(home, cluster));
}

async function ownSpecification({ home }: Where, document: unknown): Promise<Specification> {
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
