import { providerRole } from '../../../core/host-documents';
import type { HostSpecification } from '../../../core/specification';

const header = [
  '# Written by Holdfast from the stack’s configuration: set `source.allow` there. What is changed here is drift, and',
  '# undone by the next `pulumi up`.',
];

/**
 * pg_hba.conf of a managed cluster. The bootstrap superuser comes in by the private socket only, as the operating-system
 * user of the same name; everybody else over TCP with SCRAM, from beyond loopback only with TLS. The provider's role, which
 * can create roles, comes from loopback only. There is no `trust`.
 */
export function renderAccess(specification: HostSpecification, superuser: string): string {
  const { source } = specification.settings;
  const networks = source.mode === 'managed' ? source.allow : [];
  const superuserName = `"${superuser.replace(/"/g, '""')}"`;
  const lines = [
    ['local', 'all', superuserName, 'peer'],
    ['host', 'all', superuserName, 'all', 'reject'],
    ...['127.0.0.1/32', '::1/128'].map(address => ['host', 'all', 'all', address, 'scram-sha-256']),
    ['host', 'all', providerRole, 'all', 'reject'],
    ...networks.map(network => ['hostssl', 'all', 'all', network, 'scram-sha-256']),
  ];
  return [...header, ...lines.map(fields => fields.join(' ')), ''].join('\n');
}

/** The lines of pg_hba.conf that count, blanks evened out. */
export function accessLines(text: string): string[] {
  return text
    .split('\n')
    .map(line => line.replace(/#.*$/, '').trim().replace(/\s+/g, ' '))
    .filter(line => line !== '');
}
