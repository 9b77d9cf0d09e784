import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import type { SshConnection } from '../../../core/settings/stack';
import { HoldfastError } from '../../../core/errors';
import { failureOf, unreachable } from '../../../jobs/remote';
import { knownHostsLine, quote, remoteCommand, sshArguments, startOverSsh } from '../../../jobs/ssh';
import { describePlace, type Place } from '../../../jobs/where';
import { removeTempDirs, tempDir } from '../../support/temp';

afterAll(removeTempDirs);

const connection: SshConnection = {
  type: 'ssh',
  host: 'db1.example.com',
  port: 2222,
  user: 'deploy',
  privateKeyPath: '/etc/holdfast/id with space',
  hostKey: 'ssh-ed25519 AAAA',
  sudoUser: 'root',
  home: '/var/lib/hold fast',
  node: '/usr/bin/node',
};

const withoutSudo: SshConnection = { ...connection };
Reflect.deleteProperty(withoutSudo, 'sudoUser');

test('a shell reads every quoted word as itself', () => {
  const words = ['plain', '', 'two words', "it's", '$(id)', '`id`', 'a"b', 'a\nb', '*', '~', '-x', 'ü;|&<>'];
  const { stdout } = spawnSync('sh', ['-c', `printf '%s\\0' ${words.map(quote).join(' ')}`], {
    encoding: 'utf8',
  });
  expect(stdout.split('\0').slice(0, -1)).toEqual(words);
});

test('the installed program runs there as the user that may', () => {
  expect(remoteCommand(connection, ['backup', 'shop', '--change', 'a b'])).toBe(
    "sudo -n -u root -- /usr/bin/node '/var/lib/hold fast/program/holdfast.cjs' backup shop --change 'a b' --home '/var/lib/hold fast'",
  );
  expect(remoteCommand(withoutSudo, ['status'])).toMatch(/^\/usr\/bin\/node /);
});

test('ssh only accepts the pinned key, only offers the named one, and asks nothing', () => {
  const args = sshArguments(connection, '/tmp/known hosts', 'true');
  expect(args).toEqual(
    expect.arrayContaining([
      'BatchMode=yes',
      'StrictHostKeyChecking=yes',
      'UserKnownHostsFile="/tmp/known hosts"',
      'GlobalKnownHostsFile=/dev/null',
      'IdentitiesOnly=yes',
    ]),
  );
  expect(args.slice(-3)).toEqual(['--', 'deploy@db1.example.com', 'true']);
  expect(knownHostsLine(connection)).toBe('[db1.example.com]:2222 ssh-ed25519 AAAA\n');
  expect(knownHostsLine({ ...connection, port: 22 })).toBe('db1.example.com ssh-ed25519 AAAA\n');
});

test('a command that can’t be started leaves no file of pinned keys behind', () => {
  const before = process.env.TMPDIR;
  const directory = tempDir();
  process.env.TMPDIR = directory;
  try {
    expect(() => startOverSsh(connection, ['status', 'a\0b'])).toThrow('null bytes');
    expect(fs.readdirSync(directory)).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
});

test('a machine that can’t be reached is said with the reason', () => {
  expect(unreachable(connection, 'ssh: connect to host db1 port 2222: Connection refused\n')).toMatchObject({
    code: 'engine-failed',
    message:
      "deploy@db1.example.com:2222 can't be reached: ssh: connect to host db1 port 2222: Connection refused",
  });
  expect(unreachable(connection, 'Host key verification failed.').hint).toContain(
    'compare it on the machine itself',
  );
  const places: Place[] = [
    { ...connection, port: 22 },
    { type: 'local' },
    { type: 'aws', region: 'eu-west-1' },
  ];
  expect(places.map(describePlace)).toEqual(['deploy@db1.example.com', 'this machine', 'AWS eu-west-1']);
});

describe('the failure of a program', () => {
  const failed = (code: number | null, stderr: string) =>
    failureOf({ code, stdout: '', stderr }, ['backup', 'shop']);

  test('is the one that it reported', () => {
    const error = failed(
      6,
      'working\n{"error":{"code":"busy","message":"locked","hint":"wait","cause":"x"}}\n',
    );
    expect(error).toBeInstanceOf(HoldfastError);
    expect(error).toMatchObject({ code: 'busy', message: 'locked (x)', hint: 'wait' });
  });

  test('is told from its exit code when it reported none', () => {
    expect(failed(4, 'something')).toMatchObject({
      code: 'check-failed',
      message: 'holdfast backup shop ended with 4: something',
    });
    expect(failed(null, '')).toMatchObject({
      code: 'engine-failed',
      message: 'holdfast backup shop ended with a signal: it said nothing',
    });
    expect(failed(1, '{"error":{}}')).toMatchObject({ code: 'engine-failed' });
    expect(failed(1, '{"error":{"message":"m"}}')).toMatchObject({ code: 'engine-failed', message: 'm' });
    expect(failed(1, '{"error":{"code":"interrupted","message":"m"}}')).toMatchObject({
      code: 'engine-failed',
    });
  });
});
