import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { answers, freePort } from './ports';
import { succeed, until } from './processes';
import { tempDir } from './temp';

export interface Sshd {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** The public host key as settings pin it: `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  /** Private key whose public one may log in. */
  readonly privateKeyPath: string;
  /** As `connection` of a stack file: what has no default, logging in as who runs the tests. */
  readonly connection: Readonly<Record<'type' | 'host' | 'user' | 'privateKeyPath' | 'hostKey', string>> & {
    readonly type: 'ssh';
    readonly port: number;
  };
  /** What sshd logged. */
  log(): string;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Put before the key in authorized_keys: `command="…",restrict`. */
  readonly keyOptions?: string;
  readonly port?: number;
  /** A program with its arguments that runs it: in a mount namespace, for instance. It has to become sshd (`exec`). */
  readonly through?: readonly string[];
  /** Keys of an earlier one, so that a restarted server is the same machine. */
  readonly directory?: string;
}

/** A real sshd on loopback with fresh keys. As root it lets the key log in as any user, else only as the test's own. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const directory = options.directory ?? tempDir();
  const at = (name: string) => path.join(directory, name);
  const port = options.port ?? (await freePort());
  for (const key of ['host_key', 'user_key'])
    if (!fs.existsSync(at(key)))
      await succeed('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', key, '-f', at(key)]);
  const userKey = fs.readFileSync(at('user_key.pub'), 'utf8').trim();
  fs.writeFileSync(at('authorized_keys'), `${[options.keyOptions, userKey].filter(Boolean).join(' ')}\n`);
  fs.chmodSync(at('authorized_keys'), 0o644);
  fs.writeFileSync(at('sshd_config'), configuration(directory, port));
  // Where sshd keeps its unprivileged child; the package's service would make it.
  if (process.getuid?.() === 0) fs.mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });

  const log = fs.openSync(at('sshd.log'), 'a');
  const [name, ...args] = [...(options.through ?? []), sshdPath(), '-D', '-e', '-f', at('sshd_config')];
  const child = spawn(name, args, { stdio: ['ignore', log, log] });
  fs.closeSync(log);
  const ended = new Promise<void>(resolve => child.once('close', () => resolve()));
  const hostKey = fs.readFileSync(at('host_key.pub'), 'utf8').trim().split(' ').slice(0, 2).join(' ');
  const [host, privateKeyPath] = ['127.0.0.1', at('user_key')] as const;
  const server: Sshd = {
    host,
    port,
    hostKey,
    privateKeyPath,
    connection: { type: 'ssh', host, port, user: os.userInfo().username, privateKeyPath, hostKey },
    log: () => fs.readFileSync(at('sshd.log'), 'utf8'),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
  await until('sshd answers', () => {
    if (child.exitCode !== null) throw new Error(`sshd ended at once:\n${server.log()}`);
    return answers(port);
  });
  return server;
}

function configuration(directory: string, port: number): string {
  return [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey "${directory}/host_key"`,
    `AuthorizedKeysFile "${directory}/authorized_keys"`,
    `PidFile "${directory}/sshd.pid"`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'AllowTcpForwarding yes',
    'MaxStartups 100:30:200',
    'LogLevel VERBOSE',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n');
}

/** sshd wants to be started by its absolute path, and lies where a user's PATH doesn't look. */
function sshdPath(): string {
  const found = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/usr/bin/sshd'].find(name => fs.existsSync(name));
  if (found === undefined) throw new Error('there is no sshd on this machine: install openssh-server');
  return found;
}
