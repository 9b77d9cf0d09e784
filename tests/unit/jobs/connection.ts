import type { SshConnection } from '../../../core/settings/stack';

/** A machine over SSH, for tests in which another program takes the place of ssh. */
export const connection: SshConnection = {
  type: 'ssh',
  host: 'db1.example.com',
  port: 22,
  user: 'deploy',
  privateKeyPath: '/k',
  hostKey: 'ssh-ed25519 AAAA',
  home: '/srv/holdfast',
  node: 'node',
};
