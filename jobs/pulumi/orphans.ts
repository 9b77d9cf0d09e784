import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

/** A postmaster is meant to outlive the command that started it. */
const lasting = /^(postgres|postmaster)$/;

/** Whether a process is a Pulumi that works; its number may be another's by now. */
export function isPulumi(pid: number): boolean {
  if (!isAlive(pid)) return false;
  try {
    return execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).includes('pulumi');
  } catch {
    return false;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * What a killed Pulumi left running: its plugins and their commands, which would go on beside the next update. They are in
 * the session that it led. Where there is no /proc, none are found; they end by themselves.
 */
export function orphansOf(pulumi: number): number[] {
  if (!fs.existsSync('/proc/self/stat')) return [];
  return fs.readdirSync('/proc').flatMap(name => {
    const stat = readStat(name);
    return stat?.session === pulumi && !lasting.test(stat.program) ? [Number(name)] : [];
  });
}

/** Ends them: asks first, insists after `patience` milliseconds. */
export async function endProcesses(pids: readonly number[], patience = 5000): Promise<void> {
  for (const pid of pids) send(pid, 'SIGTERM');
  const deadline = Date.now() + patience;
  while (pids.some(isAlive) && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 100));
  for (const pid of pids.filter(isAlive)) send(pid, 'SIGKILL');
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function readStat(pid: string): { program: string; session: number } | undefined {
  if (!/^\d+$/.test(pid)) return undefined;
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    // "12 (a program) S 1 12 12 …": state, parent, group, session follow the last parenthesis.
    const end = text.lastIndexOf(')');
    const fields = text.slice(end + 2).split(' ');
    return { program: text.slice(text.indexOf('(') + 1, end), session: Number(fields[3]) };
  } catch {
    return undefined;
  }
}
