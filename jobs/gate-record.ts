import { HoldfastError } from '../core/errors';
import type { GateRecord } from '../core/host-documents';
import { fileMemory } from '../engines/host/memory';
import { appendAudit, requester } from './audit';
import type { Memory } from '../engines/engine';
import { clusterDirectory, openSpecified } from './context';
import { findRdsSpecification } from './rds/specification';
import type { Where } from './where';

/**
 * Writes what the policy pack decided into the audit log of a cluster. One that was never provisioned has none: nothing was
 * decided of it but that it may begin.
 * @throws HoldfastError `engine-failed` when the log can't be written to
 */
export async function recordGate(where: Where, record: GateRecord): Promise<{ readonly recorded: boolean }> {
  const { cluster, operation, stack, decision, reasons } = record;
  try {
    const memory = await memoryOf(where, cluster);
    if (memory === null) return { recorded: false };
    const recorded = await appendAudit(memory, {
      at: new Date().toISOString(),
      who: requester(),
      what: `gate of ${operation} of ${stack}`,
      cluster,
      outcome: decision === 'blocked' ? 'refused' : 'succeeded',
      durationSeconds: 0,
      detail: [decision.replaceAll('-', ' '), ...reasons].join('; '),
    });
    return { recorded };
  } catch (cause) {
    throw new HoldfastError(
      'engine-failed',
      `the audit log can’t be written to: ${(cause as Error).message}`,
      {
        cause,
        hint: 'Run Pulumi as the user that the cluster’s machine knows, and see to the space on its disk.',
      },
    );
  }
}

/** Without opening a cluster of this machine, for which this process would become its owner; null for one that isn’t provisioned. */
async function memoryOf({ home, region }: Where, cluster: string): Promise<Memory | null> {
  if (region === undefined) return fileMemory(clusterDirectory(home, cluster));
  const specification = await findRdsSpecification(region, cluster);
  return specification === null ? null : (await openSpecified(home, specification)).engine.memory;
}
