import type { Evidence, Instant } from '../../core/evidence';
import type { Specification } from '../../core/specification';

/**
 * Evidence of a machine over SSH on which Holdfast was never installed. `apply` brings the program there and looks again
 * before it creates anything, so that a disk which isn't mounted is still told from a first provision.
 */
export function nothingThere({ cluster, environment, settings }: Specification, now: Instant): Evidence {
  return {
    schema: 1,
    cluster,
    environment,
    engine: settings.engine,
    observedAt: now,
    phase: 'none',
    begunAt: null,
    identity: { recorded: null, found: null, backedUp: null },
    server: { state: 'stopped', version: null },
    backups: [],
    restorable: null,
    archive: null,
    repositories: [],
    problems: [],
  };
}
