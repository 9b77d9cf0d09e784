import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { SurveyedCluster } from '../../jobs/survey';
import { run, succeed, type Ran } from '../support/processes';
import { repositoryRoot } from '../support/pulumi';
import { tempDir } from '../support/temp';

const program = path.join(repositoryRoot, 'bin/holdfast.mjs');

/**
 * The embedded default in a home of its own, driven like a person does. As root every command sees an /etc/cron.d of its own, so
 * that a cron daemon that it starts runs this home's schedules and no others.
 */
export class Embedded {
  /** With blanks in its path, and longer than what a socket may have, on purpose. */
  readonly home = path.join(tempDir(0o711), 'the home of', 'a long and winding name '.repeat(5).trim());
  readonly env: NodeJS.ProcessEnv = { ...process.env, HOLDFAST_HOME: this.home };
  private readonly cronDirectory = tempDir(0o755);

  /** What `npm start` runs. */
  start(...args: readonly string[]): Promise<Ran> {
    return this.run(process.execPath, [path.join(repositoryRoot, 'scripts/start.mjs'), ...args]);
  }

  holdfast(...args: readonly string[]): Promise<Ran> {
    return this.run(process.execPath, [program, ...args]);
  }

  /** In the environment that `holdfast env` prints, by a shell, as documented. */
  shell(script: string): Promise<Ran> {
    return this.run('bash', ['-c', `eval "$(node bin/holdfast.mjs env)" && ${script}`]);
  }

  /** `npm start`, or a command of holdfast, as the leader of a process group that can be killed. */
  begin(...command: readonly string[]): ChildProcess {
    const script = command.length === 0 ? path.join(repositoryRoot, 'scripts/start.mjs') : program;
    const [name, ...args] = this.isolated(process.execPath, [script, ...command]);
    return spawn(name!, args, { cwd: repositoryRoot, env: this.env, detached: true, stdio: 'ignore' });
  }

  /** Whether what is due for a cluster runs unattended. */
  async isScheduled(cluster: string): Promise<boolean> {
    if (process.getuid?.() !== 0) return (await succeed('crontab', ['-l'])).includes(` run-due ${cluster} `);
    return fs.readdirSync(this.cronDirectory).some(name => name.startsWith(`holdfast-${cluster}-`));
  }

  async survey(): Promise<SurveyedCluster[]> {
    const { stdout } = await this.holdfast('status', '--json');
    return (JSON.parse(stdout) as { clusters: SurveyedCluster[] }).clusters;
  }

  /** Runs a program as the owner of a cluster. */
  asOwner(
    cluster: string,
    name: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
  ): Promise<string> {
    const { uid, gid } = fs.statSync(path.join(this.home, 'clusters', cluster, 'data'));
    return succeed(name, args, { uid, gid, cwd: '/', env: { PATH: process.env.PATH, ...env } });
  }

  /** As the superuser, over the private socket; standard output, without decoration. */
  async query(cluster: string, database: string, sql: string): Promise<string> {
    const lines = fs
      .readFileSync(path.join(this.home, 'clusters', cluster, 'data/postmaster.pid'), 'utf8')
      .split('\n');
    const [port, socket] = [lines[3]!, lines[4]!];
    const args = ['-XAt', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-p', port, '-d', database, '-c', sql];
    return (await this.asOwner(cluster, 'psql', args)).trim();
  }

  private run(name: string, args: readonly string[]): Promise<Ran> {
    const [first, ...rest] = this.isolated(name, args);
    return run(first!, rest, { cwd: repositoryRoot, env: this.env });
  }

  private isolated(name: string, args: readonly string[]): string[] {
    if (process.getuid?.() !== 0) return [name, ...args];
    const script = 'mount --bind "$0" /etc/cron.d && exec "$@"';
    return ['unshare', '--mount', 'sh', '-c', script, this.cronDirectory, name, ...args];
  }
}

/** The cron daemons of this machine. */
export function cronDaemons(): number[] {
  return fs.readdirSync('/proc').flatMap(pid => {
    try {
      return /^crond?\n$/.test(fs.readFileSync(`/proc/${pid}/comm`, 'utf8')) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });
}
