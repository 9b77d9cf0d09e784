import type { Evidence } from '../evidence';
import { secondsBetween } from '../time';

/** The metric of CloudWatch that tells how much of a cluster could be lost now: RDS has none of its own. */
export const restorableMetric = {
  namespace: 'Holdfast',
  name: 'SecondsNotRestorable',
  dimension: 'Cluster',
} as const;

/**
 * A line that makes CloudWatch count it, when a Lambda prints it alone on standard output (embedded metric format:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html).
 * Null when it isn't known: then nothing is printed, and the alarm takes that for the worst.
 */
export function restorableMetricLine({ cluster, observedAt, archive }: Evidence): string | null {
  if (archive === null || (archive.failing !== null && archive.oldestUnarchivedChangeAt === null))
    return null;
  const { namespace, name, dimension } = restorableMetric;
  const oldest = archive.oldestUnarchivedChangeAt;
  const seconds = oldest === null ? 0 : Math.max(0, Math.round(secondsBetween(oldest, observedAt)));
  return JSON.stringify({
    _aws: {
      Timestamp: Date.parse(observedAt),
      CloudWatchMetrics: [
        { Namespace: namespace, Dimensions: [[dimension]], Metrics: [{ Name: name, Unit: 'Seconds' }] },
      ],
    },
    [dimension]: cluster,
    [name]: seconds,
  });
}
