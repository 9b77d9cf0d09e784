import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';

/** Containers often have cron installed, and nobody who starts it: schedules would never run. */
export function ensureCronDaemon(report: (line: string) => void): void {
  // systemd runs the schedules itself; launchd starts macOS's cron when it is needed.
  if (os.platform() !== 'linux' || fs.existsSync('/run/systemd/system') || isRunning()) return;
  const program = ['/usr/sbin/cron', '/usr/sbin/crond'].find(name => fs.existsSync(name));
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const [name, ...args] = [...asRoot, program ?? 'cron'];
  const started = spawnSync(name, args, { cwd: '/', stdio: 'ignore' }).status === 0;
  report(
    started
      ? 'cron was not running: started it'
      : 'cron is not running, so no schedule runs: start it (as root: cron)',
  );
}

function isRunning(): boolean {
  return fs.readdirSync('/proc').some(pid => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return /^crond?\n$/.test(fs.readFileSync(`/proc/${pid}/comm`, 'utf8'));
    } catch {
      return false;
    }
  });
}
