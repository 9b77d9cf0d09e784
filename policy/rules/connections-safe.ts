import * as z from 'zod';
import type { ClusterSettings } from '../../core/settings/stack';
import { input, unknownValue, type Resource } from '../resource';
import { defineRule, resourceViolation, violation } from '../rule';
import { isEverybody, isLoopback, unsafeAccess } from '../access';

export const connectionsSafe = defineRule({
  name: 'connections-safe',
  description: 'Nobody gets in unasked beyond a private socket, and nothing crosses a network in plain text.',
  severity: 'critical',
  remediation:
    'Use scram-sha-256 and hostssl in pg_hba.conf, TLS for connections, and a pinned host key for SSH.',
  enforcement: 'mandatory',
  holds: 'production',
  configuration: z.strictObject({}),

  async judgeStack(stack) {
    const judged = Object.entries(stack.clusters).map(async ([cluster, settings]) => {
      const reading = await stack.evidence(cluster);
      const access = reading.state === 'read' ? reading.evidence.access : undefined;
      const everyone = allowed(settings).filter(isEverybody);
      return [
        ...everyone.map(network =>
          violation(
            cluster,
            `anybody may log in from ${network}`,
            'name the networks that need it in source.allow of the stack file',
          ),
        ),
        ...(access === undefined ? [] : unsafeAccess(access)).map(found =>
          violation(
            cluster,
            found,
            'correct pg_hba.conf (scram-sha-256, hostssl), then reload: select pg_reload_conf()',
          ),
        ),
      ];
    });
    return (await Promise.all(judged)).flat();
  },

  judgeResource(resource) {
    if (resource.type === 'pulumi:providers:postgresql') return plainProvider(resource);
    if (resource.type.startsWith('command:remote:')) return unpinnedHost(resource);
    return [];
  },
});

/** Networks that the settings let in; on RDS security groups do that, which are resources of their own. */
function allowed(settings: ClusterSettings): readonly string[] {
  return settings.engine === 'host' && settings.source.mode === 'managed' ? settings.source.allow : [];
}

/** How far TLS is demanded; what isn't set is `require`, the provider's own default. */
const encrypted: ReadonlySet<unknown> = new Set([undefined, 'require', 'verify-ca', 'verify-full']);

function plainProvider(resource: Resource): string[] {
  const host = input(resource, 'host');
  const mode = input(resource, 'sslmode') ?? input(resource, 'sslMode');
  // What isn't known in the preview is known, and judged, in the update.
  if (host === unknownValue || mode === unknownValue) return [];
  if (encrypted.has(mode) || typeof host !== 'string' || isLoopback(host)) return [];
  return [
    resourceViolation(
      resource,
      `may connect to ${host} in plain text (sslmode ${String(mode)})`,
      'set sslmode to verify-full, or to require',
    ),
  ];
}

function unpinnedHost(resource: Resource): string[] {
  if (input(resource, 'connection', 'hostKey') !== undefined) return [];
  return [
    resourceViolation(
      resource,
      'connects to whatever machine answers: no host key is pinned',
      'set connection.hostKey to the machine’s public key',
    ),
  ];
}
