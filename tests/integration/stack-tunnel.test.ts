import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connection as connectionSchema } from '../../core/settings/cluster';
import type { SshConnection } from '../../core/settings/stack';
import { preferredTunnelPort } from '../../jobs/tunnel';
import { answers, freePort } from '../support/ports';
import { until } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { startSshd, type Sshd } from '../support/sshd';
import { removeTempDirs } from '../support/temp';

let sshd: Sshd;
let server: net.Server;
let target: { host: string; port: number };

beforeAll(async () => {
  sshd = await startSshd();
  server = net.createServer(socket => socket.end('hello'));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  target = { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port };
});

const started: ChildProcess[] = [];

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  server.close();
  await sshd.stop();
  removeTempDirs();
});

const connection = (changes: Partial<SshConnection> = {}) =>
  connectionSchema.parse({ ...sshd.connection, ...changes }) as SshConnection;

/** A process of its own that opens a tunnel, as a Pulumi program does, and then ends, or hangs. */
function inProcess(changes: Partial<SshConnection> = {}, then = 'setInterval(() => undefined, 1000)') {
  const script = `
    require('tsx/cjs');
    const { openTunnel } = require(${JSON.stringify(path.join(repositoryRoot, 'jobs/tunnel.ts'))});
    openTunnel(${JSON.stringify(connection(changes))}, ${JSON.stringify(target)}).then(
      port => { console.log(port); ${then}; },
      error => { console.log('refused: ' + error.message); },
    );`;
  const child = spawn(process.execPath, ['-e', script], {
    cwd: repositoryRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  const ended = new Promise<number | null>(resolve => child.once('close', code => resolve(code)));
  const said = new Promise<string>(resolve => createInterface({ input: child.stdout }).once('line', resolve));
  return { child, ended, said };
}

function greeting(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.once('error', reject);
    socket.once('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

describe('a tunnel', () => {
  it('leads to the port on the cluster’s machine, from the same local port each time', async () => {
    const { child, ended, said } = inProcess();
    const port = Number(await said);
    expect(port).toBe(preferredTunnelPort(connection(), target.port));
    expect(await greeting(port)).toBe('hello');
    child.kill('SIGTERM');
    await ended;
    await until('the tunnel is closed', async () => !(await answers(port)));
  });

  it('closes when its process is killed', async () => {
    const { child, ended, said } = inProcess();
    const port = Number(await said);
    child.kill('SIGKILL');
    await ended;
    await until('the tunnel is closed', async () => !(await answers(port)));
  });

  it('doesn’t keep its process alive, and leaves nothing behind', async () => {
    const { ended, said } = inProcess({}, '');
    const port = Number(await said);
    expect(await ended).toBe(0);
    await until('the tunnel is closed', async () => !(await answers(port)));
    expect(fs.readdirSync(os.tmpdir()).filter(name => name.startsWith('holdfast-tunnel-'))).toEqual([]);
  });

  it('takes another local port while its own is in use', async () => {
    const first = inProcess();
    const second = inProcess();
    const ports = [Number(await first.said), Number(await second.said)];
    expect(new Set(ports).size).toBe(2);
    expect(await Promise.all(ports.map(greeting))).toEqual(['hello', 'hello']);
    for (const { child, ended } of [first, second]) {
      child.kill('SIGKILL');
      await ended;
    }
  });

  it('is refused when the machine shows another host key than the pinned one', async () => {
    const { ended, said } = inProcess({
      hostKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9pYkZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0cGZ0',
    });
    expect(await said).toMatch(/^refused: the tunnel to .* can't be opened: .*(host key|Host key)/is);
    await ended;
  });

  it('says that the machine can’t be reached', async () => {
    const { ended, said } = inProcess({ port: await freePort() });
    expect(await said).toMatch(/^refused: .*Connection refused/);
    await ended;
  });
});
