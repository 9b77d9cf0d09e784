import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { HoldfastError } from '../core/errors';
import type { SshConnection } from '../core/settings/stack';
import { describeMachine } from './where';
import { knownHostsLine, sshArguments } from './ssh';

/** Below what Linux and macOS give away themselves. */
const firstPort = 20_000;
const portCount = 10_000;
const attempts = 100;
const openSeconds = 30;

/** Where a cluster listens, seen from its machine. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * The local port of a tunnel: always the same for one machine and port, so that previews show no difference. Another one is taken
 * only while that is in use, by a second run for example; the PostgreSQL provider is then shown as updated in place.
 */
export function preferredTunnelPort({ host, port, user }: SshConnection, remotePort: number): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([user, host, port, remotePort]))
    .digest();
  return firstPort + (digest.readUInt32BE(0) % portCount);
}

/**
 * Opens a way from a port of loopback here to where a cluster listens on its machine, through ssh. It stays open as long
 * as this process lives, and doesn't keep it alive; ssh notices by its standard input when this process was killed.
 * @returns the local port, once it accepts connections.
 * @throws HoldfastError `engine-failed` when the machine can't be reached.
 */
export async function openTunnel(connection: SshConnection, target: Target): Promise<number> {
  const preferred = preferredTunnelPort(connection, target.port);
  for (let offset = 0; offset < attempts; offset++) {
    const port = firstPort + ((preferred - firstPort + offset) % portCount);
    if (await openFrom(port, connection, target)) return port;
  }
  throw new HoldfastError('engine-failed', `no local port for a tunnel is free from ${preferred} on`);
}

/** Whether a tunnel is open from this port now; false when the port is in use. */
async function openFrom(port: number, connection: SshConnection, target: Target): Promise<boolean> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-tunnel-'));
  const knownHosts = path.join(directory, 'known_hosts');
  fs.writeFileSync(knownHosts, knownHostsLine(connection), { mode: 0o600 });
  const forward = ['-o', 'ExitOnForwardFailure=yes', '-L', `127.0.0.1:${port}:${target.host}:${target.port}`];
  // `cat` ends with its standard input, which ends with this process; `-N` would stay behind after kill -9.
  const child = spawn('ssh', [...forward, ...sshArguments(connection, knownHosts, 'echo open; exec cat')], {
    env: process.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const close = () => child.kill('SIGTERM');
  process.once('exit', close);
  child.once('close', () => process.removeListener('exit', close));
  try {
    await opened(child, connection);
    letProcessEnd(child);
    return true;
  } catch (error) {
    if (error instanceof HoldfastError && /address already in use/i.test(error.message)) return false;
    throw error;
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** ssh runs the command after it listens: its first line says that the tunnel is open. */
function opened(child: ChildProcess, connection: SshConnection): Promise<void> {
  return new Promise((resolve, reject) => {
    const said: Buffer[] = [];
    const fail = (reason: string, cause?: Error) => {
      clearTimeout(deadline);
      child.kill('SIGKILL');
      reject(
        new HoldfastError(
          'engine-failed',
          `the tunnel to ${describeMachine(connection)} can't be opened: ${reason}`,
          {
            cause,
            hint: 'Check connection.*, and that sshd there allows TCP forwarding to loopback (AllowTcpForwarding).',
          },
        ),
      );
    };
    const deadline = setTimeout(() => fail(`no answer within ${openSeconds} s`), openSeconds * 1000);
    child.stderr?.on('data', (chunk: Buffer) => said.push(chunk));
    child.stdout?.once('data', () => {
      clearTimeout(deadline);
      resolve();
    });
    child.once('error', error => fail(error.message, error));
    child.once('close', code => fail(lastLines(said) || `ssh ended with ${code}`));
  });
}

/** Without the frame of a changed host key's banner. */
function lastLines(said: readonly Buffer[]): string {
  const lines = Buffer.concat(said).toString('utf8').trim().split('\n');
  return lines
    .map(line => line.trim())
    .filter(line => !/^@*$/.test(line))
    .join('; ');
}

function letProcessEnd(child: ChildProcess): void {
  child.unref();
  for (const stream of [child.stdin, child.stdout, child.stderr]) (stream as net.Socket | null)?.unref();
}
