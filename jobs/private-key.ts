import fs from 'node:fs';
import { HoldfastError } from '../core/errors';
import type { SshConnection } from '../core/settings/stack';

/** The private key that logs in to a cluster's machine. @throws HoldfastError `configuration` when it can't be read. */
export function readPrivateKey({ privateKeyPath, host }: SshConnection): string {
  try {
    return fs.readFileSync(privateKeyPath, 'utf8');
  } catch (cause) {
    throw new HoldfastError(
      'configuration',
      `the private key for ${host} can't be read: ${(cause as Error).message}`,
      { cause, hint: 'connection.privateKeyPath names a file on the machine that runs Pulumi.' },
    );
  }
}
