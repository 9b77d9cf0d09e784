import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ensureToolchain } from '../../toolchain/install';
import { freePort } from '../support/ports';
import { repositoryRoot } from '../support/pulumi';
import { startSshd, type Sshd } from '../support/sshd';
import { removeTempDirs, tempDir } from '../support/temp';
import { CommandProject, type Resources, type Updated } from './command-project';

// Without an agent of the person who runs the tests: the key alone decides.
const project = new CommandProject({ SSH_AUTH_SOCK: '' });
const target = fs.realpathSync(tempDir());
const source = tempDir();
let server: Sshd;
let first: Updated;

beforeAll(async () => {
  await ensureToolchain({ projectDirectory: repositoryRoot, report: () => undefined });
  server = await startSshd();
  fs.mkdirSync(path.join(source, 'nested'));
  fs.writeFileSync(path.join(source, 'nested', 'file'), 'of a directory');
  fs.writeFileSync(path.join(source, 'alone'), 'alone');
  await project.create();
  first = await project.up(resources());
  expect(first.errors()).toBe('');
});
afterAll(async () => {
  await server.stop();
  removeTempDirs();
});

function connection(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    host: server.host,
    port: server.port,
    user: os.userInfo().username,
    privateKey: fs.readFileSync(server.privateKeyPath, 'utf8'),
    hostKey: server.hostKey,
    dialErrorLimit: 0,
    ...change,
  };
}

const resources = (
  changes: Record<string, Record<string, unknown>> = {},
  text = 'first text',
): Resources => ({
  command: {
    type: 'command.remote.Command',
    args: {
      connection: connection(),
      create: 'wc -c; id -un; echo problem >&2',
      update: 'echo updated',
      delete: `echo deleted >'${target}/deleted'`,
      stdin: { $secret: 'secret input\n' },
      ...changes.command,
    },
  },
  text: {
    type: 'command.remote.CopyToRemote',
    args: {
      connection: connection(),
      source: { $text: text },
      remotePath: `${target}/new/text`,
      ...changes.text,
    },
  },
  file: {
    type: 'command.remote.CopyToRemote',
    args: { connection: connection(), source: { $file: path.join(source, 'alone') }, remotePath: target },
  },
  directory: {
    type: 'command.remote.CopyToRemote',
    args: { connection: connection(), source: { $directory: `${source}/` }, remotePath: `${target}/tree` },
  },
});

const copied = (name: string) => fs.readFileSync(path.join(target, name), 'utf8');

test('a command runs as the user of the connection, with its input, and its streams become outputs', async () => {
  const { outputs } = await project.state('command');
  expect(outputs.stdout).toBe(`13\n${os.userInfo().username}`);
  expect(outputs.stderr).toBe('problem');
  expect(first.shown('command')).toContain('problem');
});

test('a text, a file and a directory are copied to where they should be', () => {
  expect(copied('new/text')).toBe('first text');
  expect(copied('alone')).toBe('alone');
  expect(copied('tree/nested/file')).toBe('of a directory');
});

test('the private key and the secret input are nowhere in clear', () => {
  const contents = project.backendContents();
  const [, line] = fs.readFileSync(server.privateKeyPath, 'utf8').split('\n');
  expect(contents.includes('command:remote:Command::command')).toBe(true);
  expect(contents.includes(line!)).toBe(false);
  expect(contents.includes('secret input')).toBe(false);
});

test('another host key is refused at once; a host that does not answer is tried as often as allowed', async () => {
  const other = await startSshd();
  await other.stop();
  const nobody = await freePort();
  const second = await project.up(
    resources({
      command: { connection: connection({ hostKey: other.hostKey, dialErrorLimit: 10 }) },
      text: { connection: connection({ port: nobody, dialErrorLimit: 2 }), remotePath: `${target}/other` },
    }),
  );
  expect(second.code).not.toBe(0);
  expect(second.errors('command')).toMatch(/presented the host key SHA256:\S+, expected is SHA256:/);
  expect(second.shown('command')).toEqual([]);
  expect(second.errors('text')).toContain(`127.0.0.1:${nobody} over SSH: gave up at attempt 3`);
  expect(second.shown('text').filter(line => line.includes('trying again'))).toHaveLength(2);
});

test('a changed text is copied anew and a changed command updates; destroy runs delete', async () => {
  const third = await project.up(resources({ command: { stdin: 'changed' } }, 'second text'));
  expect(third.errors()).toBe('');
  expect(third.steps.command).toEqual(['update']);
  expect(third.steps.file).toEqual(['same']);
  expect((await project.state('command')).outputs.stdout).toBe('updated');
  expect(copied('new/text')).toBe('second text');

  expect((await project.destroy()).errors()).toBe('');
  expect(copied('deleted')).toBe('deleted\n');
  expect(copied('new/text')).toBe('second text');
});

test('a failing command says exit code and what it printed', async () => {
  const failed = await project.up({
    failing: {
      type: 'command.remote.Command',
      args: { connection: connection(), create: 'echo the reason >&2; exit 7' },
    },
  });
  expect(failed.code).not.toBe(0);
  expect(failed.errors('failing')).toContain('exited with status 7');
  expect(failed.errors('failing')).toContain('the reason');
});
