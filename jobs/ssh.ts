import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { SshConnection } from '../core/settings/stack';
import { requester } from './audit';
import { ownProgram } from './program';

/** A word that the shell on the other side reads as itself: ssh joins its arguments and hands them to one. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * Tells the program that its signals (and a person's answers) come as lines on standard input, and who is behind it: sudo
 * and sshd pass neither on. Always the first argument.
 */
export function forwardedFlag(person: boolean): string {
  return `--forwarded=${person ? 'person' : 'program'},${requester()}`;
}

/** Where `pulumi up` copies the program to, in the login directory, before it installs itself. */
export const uploadedProgram = '.holdfast/holdfast.cjs';

/**
 * In the place of a program's path: this machine's own is sent along, ahead of what it reads. Nothing has to be there but
 * Node.js, and nothing stays.
 */
export const carriedProgram = '-';

/** What runs there: the installed program (or `program`), as the user that may. */
export function remoteCommand(
  connection: SshConnection,
  args: readonly string[],
  program = path.posix.join(connection.home, 'program/holdfast.cjs'),
): string {
  const sudo = connection.sudoUser === undefined ? [] : ['sudo', '-n', '-u', connection.sudoUser, '--'];
  const started =
    program === carriedProgram ? ['-e', unpack(fs.statSync(ownProgram().file).size), '--'] : [program];
  return [...sudo, connection.node, ...started, ...args, '--home', connection.home].map(quote).join(' ');
}

/** A script that runs the program of so many bytes that standard input begins with; the rest is for that to read. */
function unpack(bytes: number): string {
  return `
    const fs = require('fs'), path = require('path'), { stdin } = process;
    stdin.on('readable', function read() {
      const program = stdin.read(${bytes});
      if (program === null) return;
      stdin.off('readable', read);
      const directory = fs.mkdtempSync(path.join(require('os').tmpdir(), 'holdfast-'));
      try {
        process.argv.splice(1, 0, path.join(directory, 'holdfast.cjs'));
        fs.writeFileSync(process.argv[1], program);
        require(process.argv[1]);
      } finally {
        fs.rmSync(directory, { recursive: true });
      }
    });`.replace(/\s+/g, ' ');
}

/**
 * Arguments of the system's ssh: only the pinned host key counts, only the named key is offered, nothing is asked, and a
 * connection that died is noticed within a minute.
 */
export function sshArguments(connection: SshConnection, knownHosts: string, command?: string): string[] {
  const options = {
    BatchMode: 'yes',
    StrictHostKeyChecking: 'yes',
    UserKnownHostsFile: `"${knownHosts}"`,
    GlobalKnownHostsFile: '/dev/null',
    IdentitiesOnly: 'yes',
    ConnectTimeout: '15',
    ServerAliveInterval: '15',
    ServerAliveCountMax: '4',
    LogLevel: 'ERROR',
  };
  return [
    '-T',
    '-F',
    '/dev/null',
    ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    '-i',
    connection.privateKeyPath,
    '-p',
    String(connection.port),
    '--',
    `${connection.user}@${connection.host}`,
    ...(command === undefined ? [] : [command]),
  ];
}

/** The line of known_hosts that pins the machine's key. */
export function knownHostsLine({ host, port, hostKey }: SshConnection): string {
  return `${port === 22 ? host : `[${host}]:${port}`} ${hostKey}\n`;
}

/** Starts the installed program (or `program`) on the cluster's machine; its standard streams are piped. */
export function startOverSsh(
  connection: SshConnection,
  args: readonly string[],
  program?: string,
): ChildProcess {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-ssh-'));
  const forget = () => fs.rmSync(directory, { recursive: true, force: true });
  try {
    const knownHosts = path.join(directory, 'known_hosts');
    fs.writeFileSync(knownHosts, knownHostsLine(connection), { mode: 0o600 });
    const child = spawn(
      'ssh',
      sshArguments(connection, knownHosts, remoteCommand(connection, args, program)),
      {
        env: process.env,
        stdio: ['pipe', 'pipe', 'pipe'],
        // Ctrl-C reaches the whole group of the terminal: ssh must outlive it, so that the other side can end cleanly.
        detached: true,
      },
    );
    child.once('close', forget);
    child.once('error', forget);
    if (program === carriedProgram) child.stdin.write(fs.readFileSync(ownProgram().file));
    return child;
  } catch (error) {
    forget();
    throw error;
  }
}
