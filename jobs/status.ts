import type { Evidence, Instant } from '../core/evidence';
import { judge, limitsOf, type Judgement, type Limits } from '../core/freshness';
import { nextRuns, type ScheduledJob } from '../core/schedule';
import type { Environment } from '../core/settings/stack';
import type { Clone, RestorePoint } from '../engines/engine';
import type { Cluster } from './cluster';
import { forecast, recallDue, withUsage, type DueMemory } from './due-memory';
import { pendingBreakGlass } from './pending-break-glass';

export interface ScheduleStatus {
  readonly job: ScheduledJob;
  /** Cron, in UTC. */
  readonly schedule: string;
  readonly next: Instant | null;
  /** Why it failed the last times; null when it didn't. */
  readonly failing: string | null;
}

/** Everything that `holdfast status` says of a cluster that could be asked. Plain JSON. */
export interface ClusterReport {
  readonly cluster: string;
  readonly environment: Environment;
  readonly evidence: Evidence;
  readonly judgement: Judgement;
  readonly limits: Limits;
  readonly schedules: readonly ScheduleStatus[];
  /** By id of the repository: when it will be full; null when it isn't filling, or that isn't known. */
  readonly fullOn: Readonly<Record<string, Instant | null>>;
  /** What differs from what was applied, one line each. */
  readonly drift: readonly string[];
  readonly restorePoints: readonly RestorePoint[];
  readonly clones: readonly Clone[];
  /** A break-glass that a change went through under, and that the next backup will carry. */
  readonly breakGlass: string | null;
}

/** Reads the state of a cluster's backups; changes nothing. */
export async function reportOn({ specification, engine }: Cluster): Promise<ClusterReport> {
  const { backups } = specification.settings;
  const limits = limitsOf(backups);
  const [evidence, drift, restorePoints, clones, breakGlass] = await Promise.all([
    engine.evidence(),
    // What can't be compared is said as what differs: a status must not fail for it.
    engine.drift().catch((error: unknown) => [`it can't be told: ${(error as Error).message}`]),
    engine.restorePoints().catch(() => []),
    engine.clones().catch(() => []),
    pendingBreakGlass(engine.memory),
  ]);
  const now = evidence.observedAt;
  const memory = withUsage(await recallDue(engine.memory, now), evidence);
  return {
    cluster: specification.cluster,
    environment: specification.environment,
    evidence,
    judgement: judge(evidence, limits),
    limits,
    schedules: schedulesOf(backups.schedules, memory, now),
    fullOn: forecast(memory, evidence),
    drift,
    restorePoints,
    clones,
    breakGlass: breakGlass ?? null,
  };
}

function schedulesOf(
  schedules: Readonly<Record<ScheduledJob, string>>,
  memory: DueMemory,
  now: Instant,
): ScheduleStatus[] {
  const next = nextRuns(schedules, now);
  return (['full', 'differential', 'incremental', 'verification'] as const).map(job => ({
    job,
    schedule: schedules[job],
    next: next[job],
    failing: memory.failures[job]?.reason ?? null,
  }));
}

/** Whether a cluster is as it has to be: fresh in production; in staging it only has to answer. */
export function isWell({ environment, evidence, judgement }: ClusterReport): boolean {
  return environment === 'production'
    ? judgement.verdict === 'fresh'
    : evidence.server.state === 'running' && evidence.problems.length === 0;
}
