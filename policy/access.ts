import type { AccessEvidence, AccessRule } from '../core/evidence';

/** Whether an address is this machine’s own. */
export function isLoopback(address: string): boolean {
  return (
    address === 'localhost' ||
    address.startsWith('/') ||
    /^(127(\.\d+){3}(\/\d+)?|::1(\/128)?)$/.test(address)
  );
}

/** What is unsafe in who may connect and how, a sentence for each line of pg_hba.conf. */
export function unsafeAccess({ rules, privateSocket, tls }: AccessEvidence): string[] {
  return rules.flatMap(rule => {
    const line = `pg_hba.conf line ${rule.line} (${describe(rule)})`;
    if (rule.type === 'local')
      return rule.method === 'trust' && !privateSocket
        ? [`${line} trusts every local user: the socket is not private`]
        : [];
    if (rule.method === 'reject') return [];
    if (rule.method === 'trust') return [`${line} lets anybody in without a password`];
    if (rule.method === 'password' && rule.type !== 'hostssl')
      return [`${line} takes passwords in plain text`];
    if (rule.address !== null && isLoopback(rule.address)) return [];
    if (rule.type === 'hostssl' || rule.type === 'hostgssenc') return [];
    return [`${line} allows plain text beyond this machine${tls ? '' : ', and the server has no TLS'}`];
  });
}

function describe({ type, databases, users, address, method }: AccessRule): string {
  return [type, databases.join(','), users.join(','), address, method].filter(Boolean).join(' ');
}
