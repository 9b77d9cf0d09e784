import { HoldfastError } from '../core/errors';
import type { Evidence } from '../core/evidence';
import { judge, limitsOf, type Verdict } from '../core/freshness';
import type { Inspection, SnapshotRequest, SnapshotResult } from '../core/host-documents';
import type { Specification } from '../core/specification';
import { callProgram, failureOf, type Call } from './remote';
import { uploadedProgram } from './ssh';
import { describePlace, placeOf } from './where';

/**
 * How a cluster's machine differs from what it shall be; nothing is changed. A machine over SSH on which Holdfast was never
 * installed has nothing to differ.
 */
export async function inspectCluster(specification: Specification, call: Call): Promise<Inspection> {
  const { cluster } = specification;
  const found = await ask<Inspection>('inspect', specification, { cluster, specification }, call);
  return found ?? nothingThere(cluster);
}

/** What `host snapshot` does before a change. @throws HoldfastError when it failed: the change must not begin. */
export async function snapshotCluster(request: SnapshotRequest, call: Call): Promise<SnapshotResult> {
  const { specification, cluster } = request;
  const done = await ask<SnapshotResult>('snapshot', specification, request, call);
  if (done !== null) return done;
  if (request.dryRun)
    return { cluster, message: 'nothing to do: Holdfast was never installed there', warnings: [] };
  throw new HoldfastError(
    'engine-failed',
    `the program isn’t on ${describePlace(placeOf(specification.settings))}`,
    {
      hint: 'Run `pulumi up` again: it copies the program there first.',
    },
  );
}

/** The evidence of a cluster now; null for a machine over SSH on which Holdfast was never installed. @throws HoldfastError */
export function readEvidence(specification: Specification, call: Call): Promise<Evidence | null> {
  const { cluster } = specification;
  return ask<Evidence>('evidence', specification, { cluster, specification }, call);
}

/** The verdict on a cluster's backups now; `unknown` when it can't be told, whatever the reason. */
export async function verdictOn(specification: Specification, call: Call): Promise<Verdict> {
  try {
    const evidence = await readEvidence(specification, call);
    return evidence === null ? 'missing' : judge(evidence, limitsOf(specification.settings.backups)).verdict;
  } catch {
    return 'unknown';
  }
}

/**
 * What `holdfast host <verb>` prints on the cluster's machine; null when no program is there, over SSH. Where the installed
 * one is missing, the one that an update copied to the login directory answers: it tells a machine that is new from one
 * whose home is lost or not mounted.
 */
async function ask<T>(
  verb: string,
  specification: Specification,
  document: object,
  call: Call,
): Promise<T | null> {
  const installed = await askOne<T>(verb, specification, document, call);
  return installed ?? askOne<T>(verb, specification, document, { ...call, program: uploadedProgram });
}

async function askOne<T>(
  verb: string,
  { settings }: Specification,
  document: object,
  call: Call,
): Promise<T | null> {
  const place = placeOf(settings);
  const result = await callProgram(place, ['host', verb, '--json'], document, call);
  if (result.code === 0) return parsed(result.stdout, verb) as T;
  // Node.js itself says so, before anything of ours runs.
  if (place.type === 'ssh' && /^\s*code: 'MODULE_NOT_FOUND'/m.test(result.stderr)) return null;
  throw failureOf(result, ['host', verb]);
}

function parsed(stdout: string, verb: string): unknown {
  try {
    return JSON.parse(stdout) as unknown;
  } catch {
    // Without the cause: it quotes what was printed, passwords included.
    throw new HoldfastError('engine-failed', `holdfast host ${verb} printed something else than JSON`, {
      hint: 'Is the program on the cluster’s machine that of this checkout? `pulumi up` installs it.',
    });
  }
}

const nothingThere = (cluster: string): Inspection => ({
  cluster,
  provisioned: false,
  revision: 0,
  drift: [],
  needsRestart: [],
  restartAllowed: false,
  existing: [],
  applied: null,
});
