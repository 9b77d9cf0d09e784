import type { Inspection } from '../core/host-documents';

/**
 * The revision that a cluster's Command carries. One more than the recorded one when the host isn't as it was applied, so that
 * the preview shows an update, and applying again repairs it; else the same, so that nothing changes.
 */
export function revisionOf({ revision, drift }: Inspection): number {
  if (revision === 0) return 1;
  return drift.length > 0 ? revision + 1 : revision;
}
