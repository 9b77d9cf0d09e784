import fs from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../process';

/** The process that holds a lock of pgBackRest, or held it: those that it started hold on to it when it is killed. */
export async function lockingProcess(lockFile: string): Promise<number | null> {
  try {
    const { pid } = JSON.parse(await fs.readFile(lockFile, 'utf8')) as { pid?: unknown };
    return typeof pid === 'number' ? pid : null;
  } catch {
    return null;
  }
}

/**
 * Ends a backup that goes on although the job that began it was killed: pgBackRest notices at its next line of output, its
 * processes at the end of the file that they copy, and until then they keep the lock. One that somebody began without
 * Holdfast is left alone as long as it lives.
 *
 * The caller holds the cluster's own lock, so no job of Holdfast waits for that backup.
 * @param graceMilliseconds how long it may take to end when it is asked to, and again when it is killed.
 * @returns whether there was one, and it is gone.
 */
export async function endOrphanedBackup(
  lockFile: string,
  configurationFile: string,
  graceMilliseconds = 10_000,
): Promise<boolean> {
  const leader = await lockingProcess(lockFile);
  if (leader === null) return false;
  const members = () => groupMembers(leader, configurationFile);
  const found = await members();
  const begunBy = found.find(({ pid }) => pid === leader);
  if (found.length === 0 || (begunBy !== undefined && !begunBy.command.includes(' --annotation=holdfast-')))
    return false;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    signalGroup(leader, signal);
    // One that was stopped hears nothing else.
    signalGroup(leader, 'SIGCONT');
    const deadline = Date.now() + graceMilliseconds;
    while (Date.now() < deadline) {
      if ((await members()).length === 0) return true;
      await sleep(50);
    }
  }
  return false;
}

interface Member {
  readonly pid: number;
  readonly command: string;
}

/** The processes of pgBackRest in a process group that work with this configuration: numbers are used again. */
async function groupMembers(group: number, configurationFile: string): Promise<Member[]> {
  const { stdout } = await run('ps', ['-A', '-ww', '-o', 'pid=,pgid=,stat=,args='], { timeoutSeconds: 10 });
  return stdout.split('\n').flatMap(line => {
    const [, pid, pgid, stat = '', command = ''] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    const isMember =
      Number(pgid) === group && !stat.startsWith('Z') && command.includes(`--config=${configurationFile} `);
    return isMember ? [{ pid: Number(pid), command }] : [];
  });
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch {
    // It has just ended.
  }
}
