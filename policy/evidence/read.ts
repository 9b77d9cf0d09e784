import { HoldfastError } from '../../core/errors';
import type { Instant } from '../../core/evidence';
import type { StackSettings } from '../../core/settings/stack';
import type { Specification } from '../../core/specification';
import { holdfastHome } from '../../jobs/embedded';
import { readEvidence as ask } from '../../jobs/host-calls';
import { readWith, type Reading } from './reading';
import { askCommand, type Source } from './source';

/** How long a cluster may take to answer. */
const timeoutSeconds = 60;

export interface EvidenceRequest {
  readonly cluster: string;
  /** `project/stack` of Pulumi. */
  readonly stack: string;
  readonly settings: StackSettings;
  readonly source: Source | undefined;
  readonly now: () => Instant;
}

/** The evidence of one cluster, from its machine or from the pack's own source; whatever goes wrong is the reading. */
export function readEvidence(request: EvidenceRequest): Promise<Reading> {
  const { source } = request;
  const read =
    source?.type === 'command' ? () => askCommand(source, timeoutSeconds) : () => askMachine(request);
  return readWith(read, request);
}

async function askMachine({ cluster, stack, settings, source }: EvidenceRequest): Promise<unknown> {
  const declared = settings.clusters[cluster];
  if (declared === undefined)
    throw new HoldfastError('configuration', 'the stack declares no such cluster', {
      hint: `declare it: holdfast:clusters.${cluster}`,
    });
  const specification: Specification = {
    schema: 1,
    stack,
    environment: settings.environment,
    cluster,
    settings:
      source?.type === 'ssh' && declared.engine === 'host' ? { ...declared, connection: source } : declared,
    alerts: settings.alerts,
  };
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    return await ask(specification, { home: holdfastHome(), signal, killAfterSeconds: 5 });
  } catch (cause) {
    if (!signal.aborted) throw cause;
    throw new HoldfastError('engine-failed', `it took longer than ${timeoutSeconds} s`, { cause });
  }
}
