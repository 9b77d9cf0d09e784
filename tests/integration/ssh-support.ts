import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startSshd, type Sshd } from '../support/sshd';
import { tempDir } from '../support/temp';

/** A machine that is reached over SSH, and where on it Holdfast is to live. */
export interface Machine {
  readonly sshd: Sshd;
  /** Holdfast's home there. */
  readonly there: string;
  /** The home directory of who logs in. */
  readonly login: string;
  /** As `connection` of a stack file, with changes. */
  connection(changes?: object): object;
  stop(): Promise<void>;
}

function machineOf(sshd: Sshd, login: string, who: object = {}): Machine {
  const there = tempDir(0o711);
  return {
    sshd,
    there,
    login,
    connection: changes => ({
      ...sshd.connection,
      ...who,
      home: there,
      node: process.execPath,
      ...changes,
    }),
    stop: () => sshd.stop(),
  };
}

/** One logs in as who runs the tests, to their own home directory, where nothing stays. */
export async function startMachine(): Promise<Machine> {
  const { homedir } = os.userInfo();
  const uploads = path.join(homedir, '.holdfast');
  const hadUploads = fs.existsSync(uploads);
  const machine = machineOf(await startSshd(), homedir);
  return {
    ...machine,
    stop: async () => {
      await machine.stop();
      if (!hadUploads) fs.rmSync(uploads, { recursive: true, force: true });
    },
  };
}

/**
 * One logs in as somebody who is neither root nor owns a cluster, and becomes root by sudo: a real sudo, in a mount namespace
 * in which there is such a user, and an /etc/cron.d of its own. Only root can make it.
 */
export async function startSudoMachine(): Promise<Machine> {
  const name = 'holdfast-login';
  const uid = 64123;
  const home = path.join(tempDir(0o711), 'login');
  fs.mkdirSync(home, { mode: 0o700 });
  fs.chownSync(home, uid, uid);

  // Files of /etc as this machine has them, with the user added, and directories that are this one's only.
  const directory = tempDir(0o755);
  const inside = (file: string) => path.join(directory, file);
  for (const [file, mode, line] of [
    ['passwd', 0o644, `${name}:x:${uid}:${uid}::${home}:/bin/sh`],
    ['shadow', 0o600, `${name}:*:20000:0:99999:7:::`],
  ] as const)
    fs.writeFileSync(inside(file), `${fs.readFileSync(`/etc/${file}`, 'utf8')}${line}\n`, { mode });
  for (const folder of ['sudoers.d', 'cron.d']) fs.mkdirSync(inside(folder));
  fs.writeFileSync(inside('sudoers.d/login'), `${name} ALL=(root) NOPASSWD: ALL\n`, { mode: 0o440 });
  const mounts = ['passwd', 'shadow', 'sudoers.d', 'cron.d'].map(
    file => `mount --bind "$0/${file}" /etc/${file}`,
  );
  const through = ['unshare', '--mount', 'sh', '-c', [...mounts, 'exec "$@"'].join(' && '), directory];
  return machineOf(await startSshd({ through }), home, { user: name, sudoUser: 'root' });
}
