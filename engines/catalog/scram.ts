import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { RoleCredential } from '../../core/host-documents';

/** PostgreSQL's own default; a random password of 256 bits needs no more. */
const iterations = 4096;

/** A password that nobody has to type, and what the server keeps of it. */
export function newCredential(): RoleCredential {
  const password = randomBytes(32).toString('base64url');
  return { password, verifier: scramVerifier(password, randomBytes(16)) };
}

/**
 * What PostgreSQL stores for a password (RFC 5802, RFC 7677): with it the server can check a login, but nobody can log in.
 * Made here, so that the password itself is never sent to the server, nor in a statement that it could log.
 */
export function scramVerifier(password: string, salt: Buffer): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const key = (name: string): Buffer => createHmac('sha256', salted).update(name).digest();
  const stored = createHash('sha256').update(key('Client Key')).digest('base64');
  const server = key('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${server}`;
}
