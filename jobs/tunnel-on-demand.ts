import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { SshConnection } from '../core/settings/stack';
import { knownHostsLine, sshArguments } from './ssh';
import { preferredTunnelPort, type Target } from './tunnel';

/**
 * For a preview, which connects only to read what it shows as imported: the same port as that of openTunnel, from which ssh is
 * started when somebody connects. It is there as long as this process lives, and doesn't keep it alive.
 * @returns the port, also where it is in use: by the tunnel of an update, for example, which leads to the same place.
 */
export function offerTunnel(connection: SshConnection, target: Target): Promise<number> {
  const port = preferredTunnelPort(connection, target.port);
  const server = net.createServer(socket => lead(socket, connection, target));
  server.unref();
  return new Promise(resolve => {
    server.once('error', () => resolve(port));
    server.listen(port, '127.0.0.1', () => resolve(port));
  });
}

/** Leads one connection to its target, through an ssh of its own. What ssh complains of goes where this process's errors go. */
function lead(socket: net.Socket, connection: SshConnection, { host, port }: Target): void {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-tunnel-'));
  const knownHosts = path.join(directory, 'known_hosts');
  fs.writeFileSync(knownHosts, knownHostsLine(connection), { mode: 0o600 });
  const child = spawn('ssh', ['-W', `${host}:${port}`, ...sshArguments(connection, knownHosts)], {
    env: process.env,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const forget = () => fs.rmSync(directory, { recursive: true, force: true });
  child.once('close', forget);
  child.once('error', () => {
    forget();
    socket.destroy();
  });
  // Whichever side ends first, the other one notices by its end.
  for (const side of [socket, child.stdin]) side.on('error', () => child.kill());
  socket.once('close', () => child.kill());
  socket.pipe(child.stdin);
  child.stdout.pipe(socket);
}
