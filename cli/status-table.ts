import type { SurveyedCluster } from '../jobs/survey';
import { formatAgo, formatInstant, table } from './format';

export interface Style {
  readonly color: boolean;
}

/** One line for each cluster. */
export function statusTable(clusters: readonly SurveyedCluster[], style: Style = { color: false }): string {
  return table(
    ['cluster', 'environment', 'verdict', 'newest backup', 'restorable until', 'verified'],
    clusters.map(cluster => overviewRow(cluster, style)),
  );
}

function overviewRow(cluster: SurveyedCluster, style: Style): string[] {
  const { report } = cluster;
  const name = [cluster.cluster, cluster.environment ?? '–'];
  if (report === null) return [...name, paint(cluster.state.replace('-', ' '), false, style), '–', '–', '–'];
  const { evidence, judgement } = report;
  const { newestUsable } = judgement;
  const now = evidence.observedAt;
  const verified = evidence.backups.flatMap(({ verification }) => verification ?? []).at(-1);
  return [
    ...name,
    paint(judgement.verdict, cluster.well, style),
    newestUsable === null ? 'none' : `${newestUsable.kind}, ${formatAgo(newestUsable.stoppedAt, now)}`,
    evidence.restorable === null ? '–' : formatInstant(evidence.restorable.until),
    verified === undefined ? 'never' : `${verified.result} ${formatAgo(verified.at, now)}`,
  ];
}

function paint(text: string, well: boolean, { color }: Style): string {
  return color ? `\u001B[${well ? 32 : 31}m${text}\u001B[39m` : text;
}
