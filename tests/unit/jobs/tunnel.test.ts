import fs from 'node:fs';
import path from 'node:path';
import { openTunnel, preferredTunnelPort } from '../../../jobs/tunnel';
import { removeTempDirs, tempDir } from '../../support/temp';
import { connection } from './connection';

/*
 * What ssh can say to a tunnel; tests/integration/stack-tunnel.test.ts has a real one.
 */

const searched = process.env.PATH;
const target = { host: '127.0.0.1', port: 5440 };

/** ssh is this shell script. */
function sshIs(script: string): string {
  const directory = tempDir();
  fs.writeFileSync(path.join(directory, 'ssh'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  process.env.PATH = `${directory}:${searched}`;
  return directory;
}

/** Ends with its input, which ends with this process. */
const opens = 'echo open; exec cat';
const inUse = 'echo "bind [127.0.0.1]: Address already in use" >&2; exit 255';
const preferred = preferredTunnelPort(connection, target.port);

afterEach(() => {
  process.env.PATH = searched;
  for (const close of process.listeners('exit').filter(listener => !before.includes(listener)))
    (close as () => void)();
  jest.useRealTimers();
});
afterAll(removeTempDirs);
const before = process.listeners('exit');

test('a tunnel is open once ssh says so, always from the same port', async () => {
  const directory = sshIs(`echo "$@" > "$0.args"; ${opens}`);
  expect(await openTunnel(connection, target)).toBe(preferred);
  expect(fs.readFileSync(path.join(directory, 'ssh.args'), 'utf8')).toContain(
    `-L 127.0.0.1:${preferred}:127.0.0.1:5440`,
  );
});

test('another port is taken while that one is in use', async () => {
  sshIs(`case "$*" in *:${preferred}:*) ${inUse} ;; *) ${opens} ;; esac`);
  expect(await openTunnel(connection, target)).toBe(20_000 + ((preferred - 20_000 + 1) % 10_000));
});

test('when all ports are in use it is given up', async () => {
  sshIs(inUse);
  await expect(openTunnel(connection, target)).rejects.toMatchObject({
    code: 'engine-failed',
    message: `no local port for a tunnel is free from ${preferred} on`,
  });
});

test('a machine that can’t be reached is said, without the frame of a banner', async () => {
  sshIs('printf "@@@@@\\nHost key verification failed.\\n" >&2; exit 255');
  await expect(openTunnel(connection, target)).rejects.toMatchObject({
    code: 'engine-failed',
    message: "the tunnel to deploy@db1.example.com can't be opened: Host key verification failed.",
  });
  sshIs('exit 255');
  await expect(openTunnel(connection, target)).rejects.toThrow('ssh ended with 255');
  process.env.PATH = tempDir();
  await expect(openTunnel(connection, target)).rejects.toThrow('spawn ssh ENOENT');
});

test('an ssh that says nothing is given up after 30 s', async () => {
  sshIs('exec sleep 600');
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
  const opening = expect(openTunnel(connection, target)).rejects.toThrow('no answer within 30 s');
  jest.advanceTimersByTime(30_000);
  await opening;
});
