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
  const ask = (flag: string): number => {
    try {
      return Number(execFileSync('id', [flag, '--', user], { encoding: 'utf8', stdio: 'pipe' }));
    } catch (error) {
      throw unknownUser(user, error);
    }
  };
  return refuseRoot(user, { uid: ask('-u'), gid: ask('-g') });
}

/**
 * Becomes the cluster's owner, for the whole process and for good, when we are root; otherwise the owner is who we are already
 * and nothing happens.
 *
 * @throws HoldfastError `configuration` when there is no such user.
 */
export function becomeOwner(user: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid, homedir, username } = accountOf(user);
  // Node.js has it on every system with users and groups; its types don't.
  (process as unknown as { initgroups(user: string, group: number): void }).initgroups(user, gid);
  process.setgid?.(gid);
  process.setuid?.(uid);
  process.env.HOME = homedir;
  process.env.USER = username;
  process.env.LOGNAME = username;
  // We may stand in a directory that the owner can't enter, where no program would start.
  process.chdir('/');
}

/** What the system knows of a user. It only tells a process of the one that it is in effect: that is taken back at once. */
function accountOf(user: string): os.UserInfo<string> {
  try {
    process.seteuid?.(user);
  } catch (error) {
    throw unknownUser(user, error);
  }
  try {
    return refuseRoot(user, os.userInfo());
  } finally {
    process.seteuid?.(0);
  }
}

function unknownUser(user: string, cause: unknown): HoldfastError {
  return new HoldfastError('configuration', `there is no user ${user} on this machine`, {
    hint: 'Install the PostgreSQL server, which creates postgres, or name another user as `owner` of the cluster.',
    cause,
  });
}

function refuseRoot<T extends Identity>(user: string, account: T): T {
  if (account.uid !== 0) return account;
  throw new HoldfastError('configuration', `${user} can't own a cluster: PostgreSQL refuses to run as root`, {
    hint: 'Name another user as `owner` of the cluster.',
  });
}
