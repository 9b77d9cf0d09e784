import type { Applied } from '../../../core/host-documents';
import type { HostSpecification } from '../../../core/specification';
import { accessOf, type Credentials } from '../../catalog/credentials';
import { loginRoles } from '../credentials';
import type { ClusterRecord } from '../record';

/**
 * What an apply prints; contains secrets. Made of what is kept on the machine, so that it is the same whenever it is
 * asked for; null before an apply has come that far.
 */
export function appliedDocument(
  specification: HostSpecification,
  record: ClusterRecord,
  credentials: Credentials | null,
): Applied | null {
  if (record.systemIdentifier === null || record.port === null || credentials === null) return null;
  return {
    cluster: specification.cluster,
    endpoint: { host: endpointHost(specification), port: record.port },
    stanza: specification.cluster,
    systemIdentifier: record.systemIdentifier,
    revision: record.revision,
    tls: needsTls(specification),
    ...accessOf(credentials, loginRoles(specification)),
  };
}

const loopback = /^(localhost|127\.\d+\.\d+\.\d+|::1|\*|0\.0\.0\.0|::)$/;

/** Where the provider logs in: loopback, from where it is on the machine or at the end of a tunnel to it. */
function endpointHost(specification: HostSpecification): string {
  const { source } = specification.settings;
  if (source.mode === 'existing') return '127.0.0.1';
  const found = source.listenAddresses.find(address => loopback.test(address));
  if (found === undefined) return source.listenAddresses[0] ?? '127.0.0.1';
  return found === '::1' ? found : '127.0.0.1';
}

function needsTls(specification: HostSpecification): boolean {
  const { source } = specification.settings;
  return source.mode === 'managed' && source.tls !== undefined;
}
