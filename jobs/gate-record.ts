import { HoldfastError } from '../core/errors';
import type { GateRecord } from '../core/host-documents';
import { fileMemory } from '../engines/host/memory';
import { appendAudit, requester } from './audit';
import { clusterDirectory } from './context';

/**
 * Writes what the policy pack decided into the audit log of a cluster of this machine. One that was never provisioned has
 * none: nothing was decided of it but that it may begin.
 * @throws HoldfastError `engine-failed` when the log can't be written to
 */
export async function recordGate(home: string, record: GateRecord): Promise<{ readonly recorded: boolean }> {
  const { cluster, operation, stack, decision, reasons } = record;
  try {
    const recorded = await appendAudit(fileMemory(clusterDirectory(home, cluster)), {
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
