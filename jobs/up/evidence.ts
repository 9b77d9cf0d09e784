import type { SurveyedCluster } from '../survey';
import type { ClusterCommands } from './clusters';

/**
 * Makes a cluster's backups fresh where a backup or a verification does it: after its first provision, after an interrupted
 * one, and when the machine was off for longer than the gate allows.
 */
export async function freshen(
  clusters: readonly SurveyedCluster[],
  commands: ClusterCommands,
): Promise<void> {
  for (const { cluster, report } of clusters) {
    if (report === null) continue;
    const bad = (rule: string) =>
      report.judgement.findings.some(finding => finding.rule === rule && finding.verdict !== 'fresh');
    const isNew = report.evidence.phase !== 'established';
    if (isNew ? report.judgement.newestUsable === null : bad('recent'))
      await commands.succeed('backup', cluster, '--kind', isNew ? 'full' : 'differential');
    if (isNew || bad('verified')) await commands.succeed('verify', cluster);
  }
}

/** Those that are set up, but don't run. */
export function stopped(clusters: readonly SurveyedCluster[]): readonly string[] {
  return clusters.flatMap(({ cluster, report }) =>
    report?.evidence.server.state === 'stopped' && report.evidence.phase !== 'none' ? [cluster] : [],
  );
}
