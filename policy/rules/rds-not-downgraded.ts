import { clusterOf } from '../rds';
import { input, type Resource } from '../resource';
import { defineRule, nothing, resourceViolation } from '../rule';
import type { DeclaredStack } from '../stack';
import { isLower } from '../versions';

/** Pulumi tells policies nothing of what a resource was: the version is compared with the one that runs, as evidence has it. */
export const rdsNotDowngraded = defineRule({
  name: 'rds-not-downgraded',
  description: 'No version of PostgreSQL is declared that is lower than the one that runs on Amazon RDS.',
  severity: 'high',
  remediation:
    'Declare the version that runs, or only its major version. Back is by restoring a snapshot of before.',
  url: 'https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_UpgradeDBInstance.PostgreSQL.html',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: nothing,
  async judgeResource(resource, _, stack) {
    if (resource.type !== 'aws:rds/instance:Instance') return [];
    const declared = input(resource, 'engineVersion');
    const running = await runningVersion(resource, stack);
    if (typeof declared !== 'string' || running === null || !isLower(declared, running)) return [];
    return [
      resourceViolation(
        resource,
        `declares PostgreSQL ${declared}, but ${running} runs: RDS takes no version back`,
        `set engineVersion to ${running}, or to its major version (${running.split('.')[0]})`,
      ),
    ];
  },
});

/** The version of the cluster that an instance is; null when that isn't known. */
async function runningVersion(resource: Resource, stack: DeclaredStack): Promise<string | null> {
  const cluster = clusterOf(resource, stack);
  if (cluster === undefined) return null;
  const reading = await stack.evidence(cluster.name);
  return reading.state === 'read' ? reading.evidence.server.version : null;
}
