import { asHoldfastError } from '../../core/errors';
import type { GateRecord } from '../../core/host-documents';
import type { StackSettings } from '../../core/settings/stack';
import { holdfastHome } from '../../jobs/embedded';
import { recordGate } from '../../jobs/gate-record';
import { recordGateAt } from '../../jobs/host-calls';
import { placeOf } from '../../jobs/where';
import type { Source } from './source';

/** How long the machine of a cluster may take to write a line. */
const timeoutSeconds = 30;

/**
 * Writes a decision into the audit log on the cluster's machine; why it couldn't be, or null. What the pack reads from a
 * source of its own it may only read.
 */
export async function recordDecision(
  record: GateRecord,
  settings: StackSettings,
  source: Source | undefined,
): Promise<string | null> {
  const cluster = settings.clusters[record.cluster];
  if (source !== undefined || cluster === undefined) return null;
  const place = placeOf(cluster);
  const home = holdfastHome();
  const signal = AbortSignal.timeout(timeoutSeconds * 1000);
  try {
    if (place.type === 'local') await recordGate({ home }, record);
    else await recordGateAt(place, record, { home, signal, killAfterSeconds: 5 });
    return null;
  } catch (error) {
    return signal.aborted
      ? `its machine didn’t answer within ${timeoutSeconds} s`
      : asHoldfastError(error).message;
  }
}
