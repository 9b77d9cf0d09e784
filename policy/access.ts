import type { AccessEvidence, AccessRule } from '../core/evidence';

/** Whether an address in pg_hba.conf, `listen_addresses` or a connection leads nowhere beyond this machine. */
export function isLoopback(address: string): boolean {
  return (
    address === 'localhost' ||
    address === 'samehost' ||
    address.startsWith('/') ||
    /^(127(\.\d+){3}(\/([89]|[12]\d|3[0-2]))?|::1(\/128)?)$/.test(address)
  );
}

/**
 * Whether a network (`10.0.0.0/8`) is wider than any private one: everybody, or a good part of everybody. The widest private
 * ones are 10.0.0.0/8 and fc00::/7 (RFC 1918, RFC 4193).
 */
export function isEverybody(network: string): boolean {
  const [address, length] = network.split('/') as [string, string?];
  return length !== undefined && Number(length) < (address.includes(':') ? 7 : 8);
}

/** What is unsafe in who may connect and how: a sentence for each line of pg_hba.conf. */
export function unsafeAccess({ rules, privateSocket, tls, listenAddresses }: AccessEvidence): string[] {
  const listensBeyond = !listenAddresses.every(isLoopback);
  const fault = (rule: AccessRule): string | null => {
    if (rule.method === 'reject') return null;
    if (rule.type === 'local')
      return rule.method === 'trust' && !privateSocket
        ? 'trusts every local user: its socket is not private'
        : null;
    if (rule.method === 'trust') return 'lets anybody in without a password';
    if (rule.type === 'hostssl' || rule.type === 'hostgssenc') return null;
    if (rule.method === 'password') return 'takes passwords in plain text';
    if (!listensBeyond || (rule.address !== null && isLoopback(rule.address))) return null;
    return `allows plain text beyond this machine${tls ? '' : ', and the server has no TLS'}`;
  };
  return rules.flatMap(rule => {
    const found = fault(rule);
    return found === null ? [] : [`pg_hba.conf line ${rule.line} (${describe(rule)}) ${found}`];
  });
}

function describe({ type, databases, users, address, method }: AccessRule): string {
  return [type, databases.join(','), users.join(','), address, method].filter(Boolean).join(' ');
}
