import * as z from 'zod';
import { HoldfastError } from '../core/errors';
import { restorableMetricLine } from '../core/rds/metric';
import { name } from '../core/settings/values';
import type { Evidence } from '../core/evidence';
import type { Cluster } from '../jobs/cluster';
import { openRdsCluster } from '../jobs/rds/open';
import { runDue, type DueReport } from '../jobs/run-due';

/** Of what AWS Lambda tells a function, the part that is used. */
interface Invocation {
  /** Milliseconds until AWS ends the function. */
  getRemainingTimeInMillis(): number;
}

const call = z.strictObject({ command: z.literal('run-due'), cluster: name });

/** What is begun is left in order within this time before AWS ends the function. */
const leaveSeconds = 15;

/**
 * The unattended jobs of a cluster on Amazon RDS as a function of AWS Lambda, which the scheduler calls every few minutes. It
 * never waits: what takes long goes on alone, and a later call looks at it.
 *
 * @param event `{ command: "run-due", cluster }`
 * @throws what failed, after it was alerted of: AWS counts the call as failed, and keeps it.
 */
export async function handler(event: unknown, invocation: Invocation): Promise<DueReport> {
  const called = call.safeParse(event);
  if (!called.success)
    throw new HoldfastError(
      'configuration',
      'this function is called with { "command": "run-due", "cluster": NAME }',
    );
  process.env.HOLDFAST_REQUESTER ??= `${process.env.AWS_LAMBDA_FUNCTION_NAME ?? 'run-due'}@lambda`;
  const opened = await openRdsCluster(process.env.AWS_REGION ?? '', called.data.cluster);
  const { cluster, latest } = remembering(opened);
  const signal = AbortSignal.timeout(
    Math.max(0, invocation.getRemainingTimeInMillis() - leaveSeconds * 1000),
  );
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  try {
    return await runDue(cluster, { signal, report: ({ step }) => say(step) });
  } finally {
    // Whatever became of the job: an alarm of CloudWatch takes silence for the worst.
    const metric = restorableMetricLine(latest() ?? (await opened.engine.evidence()));
    if (metric !== null) say(metric);
  }
}

/** The cluster, and what was last known of its backups: the evidence isn't asked for again. */
function remembering(opened: Cluster): { readonly cluster: Cluster; readonly latest: () => Evidence | null } {
  let last: Evidence | null = null;
  const evidence = async () => (last = await opened.engine.evidence());
  return { cluster: { ...opened, engine: { ...opened.engine, evidence } }, latest: () => last };
}
