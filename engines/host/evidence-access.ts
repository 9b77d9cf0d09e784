import fs from 'node:fs/promises';
import type { AccessEvidence, AccessRule } from '../../core/evidence';
import type { Session } from '../engine';
import { onlyRow, type Server } from './session';

interface HbaLine extends Omit<AccessRule, 'address'> {
  readonly address: string | null;
  readonly netmask: string | null;
}

/** Lines that the server refuses to read let nobody in. */
const question = `
  select line_number as line, type, database as databases, user_name as users, address, netmask, auth_method as method
    from pg_hba_file_rules where error is null order by line_number`;

/** Who may connect to a running server and how, as it reads its files. */
export async function readAccess(session: Session, server: Server): Promise<AccessEvidence> {
  const { mode } = await fs.stat(server.socketDirectory);
  const lines = await session.query<HbaLine>(question);
  const settings = await onlyRow<{ ssl: string; listen: string }>(
    session,
    `select current_setting('ssl') as ssl, current_setting('listen_addresses') as listen`,
  );
  return {
    rules: lines.map(({ netmask, address, ...rule }) => ({ ...rule, address: network(address, netmask) })),
    privateSocket: (mode & 0o077) === 0,
    tls: settings.ssl === 'on',
    listenAddresses: settings.listen.split(/[ ,]+/).filter(Boolean),
  };
}

/** An address and its mask as one text in CIDR notation. */
export function network(address: string | null, netmask: string | null): string | null {
  if (address === null || netmask === null) return address;
  const [digits, base] = netmask.includes(':') ? [netmask.split(':'), 16] : [netmask.split('.'), 10];
  const bits = digits.filter(Boolean).map(digit => Number.parseInt(digit, base).toString(2));
  return `${address}/${bits.join('').replaceAll('0', '').length}`;
}
