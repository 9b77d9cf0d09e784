import { HoldfastError } from '../core/errors';
import type { Evidence } from '../core/evidence';
import { judge, limitsOf, type Verdict } from '../core/freshness';
import type { GateRecord, Inspection, SnapshotRequest, SnapshotResult } from '../core/host-documents';
import type { Specification } from '../core/specification';
import { callProgram, failureOf, type Call } from './remote';
import { carriedProgram } from './ssh';
import { placeOf, type Place } from './where';

/** How a cluster's machine differs from what it shall be; nothing is changed. @throws HoldfastError when it can't be told. */
export function inspectCluster(specification: Specification, call: Call): Promise<Inspection> {
  const { cluster, settings } = specification;
  return ask('inspect', placeOf(settings), { cluster, specification }, call);
}

/** What `host snapshot` does before a change. @throws HoldfastError when it failed: the change must not begin. */
export function snapshotCluster(request: SnapshotRequest, call: Call): Promise<SnapshotResult> {
  return ask('snapshot', placeOf(request.specification.settings), request, call);
}

/** The evidence of a cluster now. @throws HoldfastError when it can't be told. */
export function readEvidence(specification: Specification, call: Call): Promise<Evidence> {
  const { cluster, settings } = specification;
  return ask('evidence', placeOf(settings), { cluster, specification }, call);
}

/** Writes what the policy pack decided into a cluster's audit log, if it has one. @throws HoldfastError */
export async function recordGateAt(place: Place, record: GateRecord, call: Call): Promise<void> {
  await ask('gate', place, record, call);
}

/** The verdict on a cluster's backups now; `unknown` when it can't be told, whatever the reason. */
export async function verdictOn(specification: Specification, call: Call): Promise<Verdict> {
  try {
    const evidence = await readEvidence(specification, call);
    return judge(evidence, limitsOf(specification.settings.backups)).verdict;
  } catch {
    return 'unknown';
  }
}

/**
 * What `holdfast host <verb>` prints where the cluster is looked after. A machine over SSH on which no program is installed
 * is asked by this machine's own, sent along: it tells a machine that is new from one whose home is lost or not mounted.
 */
async function ask<T>(verb: string, place: Place, document: object, call: Call): Promise<T> {
  const args = ['host', verb, '--json'];
  const installed = await callProgram(place, args, document, { ...call, onLine: withoutTrace(call.onLine) });
  const result = isMissing(place, installed.stderr)
    ? await callProgram(place, args, document, { ...call, program: carriedProgram })
    : installed;
  if (result.code === 0) return parsed(result.stdout, verb) as T;
  throw failureOf(result, ['host', verb]);
}

/** Whether Node.js said so, before anything of ours could run. */
function isMissing(place: Place, stderr: string): boolean {
  return place.type === 'ssh' && /^\s*code: 'MODULE_NOT_FOUND'/m.test(stderr);
}

const isTrace = (text: string): boolean => text.startsWith('node:internal/modules/');

/** Passes on what a program says, and nothing of what Node.js says of one that isn't there. */
function withoutTrace(onLine: Call['onLine'] = () => undefined): (line: string) => void {
  let passes: boolean | undefined;
  return line => {
    passes ??= !isTrace(line);
    if (passes) onLine(line);
  };
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
