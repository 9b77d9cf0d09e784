import * as pulumi from '@pulumi/pulumi';
import type { Inspection } from '../core/host-documents';
import type { Specification } from '../core/specification';
import { inspectCluster } from '../jobs/host-calls';
import type { ClusterPlan } from './context';

/** Asks every cluster's machine, all at once, how it differs from what it shall be, and says so. Changes nothing. */
export async function inspectAll(
  specifications: readonly Specification[],
  { home, inspect = inspectCluster }: { readonly home: string; readonly inspect?: typeof inspectCluster },
): Promise<ClusterPlan[]> {
  const plans = await Promise.all(
    specifications.map(async specification => ({
      specification,
      inspection: await inspect(specification, { home }),
    })),
  );
  for (const { specification, inspection } of plans)
    for (const line of [...unmanaged(specification), ...findings(inspection)]) await pulumi.log.warn(line);
  return plans;
}

/** Databases that are declared where it isn't said how Pulumi reaches them: left out silently they would be missed too late. */
export function unmanaged({ cluster, settings }: Specification): string[] {
  const databases = Object.keys(settings.databases);
  if (settings.engine !== 'rds' || settings.reach !== undefined || databases.length === 0) return [];
  return [
    `${cluster}: databases that are not managed: ${databases.join(', ')}. PostgreSQL of ${settings.instance} has to be reached from here (in its VPC, by a bastion, by SSM), and clusters.${cluster}.reach to say how: docs/aws.md, “Databases and roles”. All else stands`,
  ];
}

/** What a person should know before the update, one line each. */
export function findings({ cluster, drift, needsRestart, restartAllowed }: Inspection): string[] {
  const drifted = drift.map(
    ({ what, expected, found }) =>
      `${cluster}: ${what} was changed by hand: found ${found}, applied was ${expected}; \`pulumi up\` puts it back`,
  );
  if (needsRestart.length === 0) return drifted;
  const settings = needsRestart.join(', ');
  return [
    ...drifted,
    restartAllowed
      ? `${cluster}: will be restarted: ${settings} ${needsRestart.length === 1 ? 'needs' : 'need'} it`
      : `${cluster}: ${settings} will only take effect after a restart, which source.allowRestart doesn’t allow`,
  ];
}
