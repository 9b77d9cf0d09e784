import type { BreakGlassState } from '../core/break-glass';
import { copyTroubles } from '../core/copies';
import { formatDuration } from '../core/durations';
import type { Evidence } from '../core/evidence';
import type { ClusterReport } from '../jobs/status';
import type { SurveyedCluster } from '../jobs/survey';
import { describeArchive, describeCopies, describeNewest, describeVerification } from './describe-evidence';
import { formatBytes, formatInstant } from './format';
import { statusTable, type Style } from './status-table';

/** A table of all clusters, and below it the details of each. */
export function describeSurvey(clusters: readonly SurveyedCluster[], style: Style): string {
  if (clusters.length === 0)
    return 'There are no clusters yet. `npm start` makes a staging and a production cluster; `pulumi up` what your stack declares.';
  return [statusTable(clusters, style), ...clusters.map(cluster => describeCluster(cluster))].join('\n\n');
}

function describeCluster(cluster: SurveyedCluster): string {
  const { report, place } = cluster;
  const title = `${cluster.cluster} (${[cluster.environment, place].filter(Boolean).join(', ')})`;
  if (report === null)
    return cluster.state === 'not-provisioned'
      ? `${title}: not provisioned; pulumi up makes it`
      : `${title}: can't be asked: ${cluster.problem ?? 'for an unknown reason'}`;
  const lines = detailsOf(report, cluster.breakGlass);
  const width = Math.max(...lines.map(([label]) => label.length));
  return [
    `${title}: ${report.judgement.verdict}`,
    ...lines.map(([a, b]) => `  ${a.padEnd(width)}  ${b}`),
  ].join('\n');
}

type Line = readonly [label: string, text: string];

function detailsOf(report: ClusterReport, breakGlass: BreakGlassState | null): Line[] {
  const { evidence, judgement, limits } = report;
  const { restorable, server, phase, observedAt } = evidence;
  return [
    ['server', server.state === 'running' ? `PostgreSQL ${server.version ?? ''}, running` : 'stopped'],
    ...(phase === 'established' ? [] : [['phase', phase] as const]),
    ['newest backup', describeNewest(judgement.newestUsable, observedAt)],
    [
      'restorable',
      restorable === null
        ? 'nothing'
        : `from ${formatInstant(restorable.from)} until ${formatInstant(restorable.until)}`,
    ],
    ['WAL archiving', describeArchive(evidence)],
    ['verification', describeVerification(evidence, limits)],
    ...schedulesOf(report),
    ...repositoriesOf(report, evidence),
    ...(evidence.copies ?? []).map(copies => ['copies', describeCopies(copies, observedAt)] as const),
    ...pointsAndClones(report),
    ...(report.drift.length === 0
      ? [['drift', 'none'] as const]
      : report.drift.map(line => ['drift', line] as const)),
    ['break-glass', describeBreakGlass(breakGlass, report.breakGlass)],
    ['system identifier', evidence.identity.found ?? evidence.identity.recorded ?? 'not known'],
    ...findingsOf(report),
    ...copyTroubles(evidence, limits).map(
      ({ message, remedy }) => ['warning: copies', `${message} → ${remedy}`] as const,
    ),
  ];
}

function schedulesOf({ schedules, evidence }: ClusterReport): Line[] {
  return schedules.flatMap(({ job, schedule, next, failing }) => {
    if (next === null && failing === null) return [];
    const when = next === null ? 'never' : `next ${formatInstant(next)} (${schedule} UTC)`;
    const late = next !== null && next < evidence.observedAt ? ', overdue' : '';
    return [[job, `${when}${late}${failing === null ? '' : `; failing: ${failing}`}`] as const];
  });
}

function repositoriesOf(report: ClusterReport, { repositories }: Evidence): Line[] {
  return repositories.map(({ id, location, usedBytes, freeBytes, encrypted }) => {
    const full = report.fullOn[id] ?? null;
    const forecast = full === null ? 'not filling' : `full on ${full.slice(0, 10)}`;
    const free = freeBytes === null ? '' : `, ${formatBytes(freeBytes)} free, ${forecast}`;
    return [
      `repository ${id}`,
      `${location}: ${formatBytes(usedBytes)} used${free}${encrypted ? ', encrypted' : ''}`,
    ];
  });
}

function pointsAndClones({ restorePoints, clones }: ClusterReport): Line[] {
  const newest = restorePoints.slice(-3).map(({ name, at }) => `${name} (${formatInstant(at)})`);
  return [
    ...(newest.length === 0 ? [] : [['restore points', newest.join(', ')] as const]),
    ...(clones.length === 0
      ? []
      : [
          [
            'clones',
            clones.map(({ id, purpose, state }) => `${id} (${purpose}, ${state})`).join(', '),
          ] as const,
        ]),
  ];
}

function describeBreakGlass(state: BreakGlassState | null, pending: string | null): string {
  const noted = pending === null ? '' : `; a change went through under it: ${pending}`;
  switch (state?.state) {
    case 'active': {
      const { reason, approver } = state.grant;
      return `ACTIVE for ${formatDuration(state.remainingSeconds)}: ${reason} (approved by ${approver})${noted}`;
    }
    case 'invalid':
      return `counts as none: ${state.reason}${noted}`;
    case 'none':
    case undefined:
      return `none${noted}`;
  }
}

/** What isn't fresh, and what to do about it. */
function findingsOf({ judgement }: ClusterReport): Line[] {
  return judgement.findings.flatMap(({ rule, verdict, message, remedy }) =>
    verdict === 'fresh'
      ? []
      : [[`${verdict}: ${rule}`, `${message}${remedy === null ? '' : ` → ${remedy}`}`] as const],
  );
}
