import { execFileSync } from 'node:child_process';
import os from 'node:os';
import { HoldfastError } from '../../core/errors';

/** The operating-system user that runs a cluster: `declared` when we are root, else the one that we are. */
export function ownerName(declared: string): string {
  return process.getuid?.() === 0 ? declared : os.userInfo().username;
}

/** User and group id of a user. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Who a user is. @throws HoldfastError `configuration` when there is no such user, or it is root, as which PostgreSQL
 * refuses to run.
 */
export function identityOf(user: string): Identity {
  const [uid, gid] = ['-u', '-g'].map(flag => {
    try {
      return Number(execFileSync('id', [flag, '--', user], { encoding: 'utf8', stdio: 'pipe' }));
    } catch (error) {
      throw new HoldfastError('configuration', `there is no user ${user} on this machine`, {
        hint: 'Install the PostgreSQL server, which creates postgres, or name another user as `owner` of the cluster.',
        cause: error,
      });
    }
  });
  if (uid === undefined || gid === undefined || uid === 0)
    throw new HoldfastError(
      'configuration',
      `${user} can't own a cluster: PostgreSQL refuses to run as root`,
      {
        hint: 'Name another user as `owner` of the cluster.',
      },
    );
  return { uid, gid };
}

/**
 * Becomes the cluster's owner, for the whole process and for good, when we are root; otherwise the owner is who we are already
 * and nothing happens.
 *
 * @throws HoldfastError `configuration` when there is no such user.
 */
export function becomeOwner(user: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = identityOf(user);
  // Node.js has it on every system with users and groups; its types don't.
  (process as unknown as { initgroups(user: string, group: number): void }).initgroups(user, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
  const { homedir, username } = os.userInfo();
  process.env.HOME = homedir;
  process.env.USER = username;
  process.env.LOGNAME = username;
  // We may stand in a directory that the owner can't enter, where no program would start.
  process.chdir('/');
}
