import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { preferredTunnelPort } from '../../../jobs/tunnel';
import { offerTunnel } from '../../../jobs/tunnel-on-demand';
import { freePort } from '../../support/ports';
import { until } from '../../support/processes';
import { removeTempDirs, tempDir } from '../../support/temp';
import { connection } from './connection';

/*
 * What ssh can do to a tunnel that is offered; tests/integration/stack-tunnel.test.ts has a real one.
 */

const searched = process.env.PATH;
let directory: string;
let target: { host: string; port: number };

beforeEach(async () => {
  directory = tempDir();
  process.env.PATH = `${directory}:${searched}`;
  // Another target each time: another port, as what was offered stays.
  target = { host: '127.0.0.1', port: await freePort() };
});
afterEach(() => {
  process.env.PATH = searched;
});
afterAll(removeTempDirs);

/** ssh is this shell script. */
const sshIs = (script: string) =>
  fs.writeFileSync(path.join(directory, 'ssh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
const started = () => fs.existsSync(path.join(directory, 'ssh.args'));
const leftovers = () => fs.readdirSync(os.tmpdir()).filter(name => name.startsWith('holdfast-tunnel-'));

/** What comes back first of what is sent; nothing when the connection is closed instead. */
async function sent(port: number, text: string): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(text);
  let answer = '';
  socket.once('data', (chunk: Buffer) => {
    answer = chunk.toString();
    socket.end();
  });
  await once(socket, 'close');
  return answer;
}

test('ssh is started only when somebody connects, and leads to the target', async () => {
  sshIs('echo "$@" > "$0.args"; exec cat');
  const port = await offerTunnel(connection, target);
  expect(port).toBe(preferredTunnelPort(connection, target.port));
  expect(started()).toBe(false);
  expect(await sent(port, 'hello')).toBe('hello');
  const args = fs.readFileSync(path.join(directory, 'ssh.args'), 'utf8');
  expect(args).toMatch(new RegExp(`^-W 127\\.0\\.0\\.1:${target.port} .*deploy@db1\\.example\\.com\n$`));
  await until('nothing is left of it', () => leftovers().length === 0);
});

test('a connection ends with its ssh, and where there is no ssh', async () => {
  const port = await offerTunnel(connection, target);
  sshIs('exit 255');
  expect(await sent(port, 'hello')).toBe('');
  process.env.PATH = tempDir();
  expect(await sent(port, 'hello')).toBe('');
  await until('nothing is left of it', () => leftovers().length === 0);
});

test('ssh ends with the connection', async () => {
  sshIs('echo $$ > "$0.args"; echo ready; exec sleep 600');
  const socket = net.connect(await offerTunnel(connection, target), '127.0.0.1');
  await once(socket, 'data');
  const pid = Number(fs.readFileSync(path.join(directory, 'ssh.args'), 'utf8'));
  socket.destroy();
  await until('ssh has ended', () => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });
});

test('while its port is in use, by an update for example, nothing is opened', async () => {
  const other = net.createServer(socket => socket.end('the update'));
  other.listen(preferredTunnelPort(connection, target.port), '127.0.0.1');
  await once(other, 'listening');
  sshIs('echo > "$0.args"');
  try {
    expect(await sent(await offerTunnel(connection, target), 'hello')).toBe('the update');
    expect(started()).toBe(false);
  } finally {
    other.close();
  }
});
