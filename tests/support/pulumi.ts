import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { run, type Ran } from './processes';
import { tempDir } from './temp';

export const repositoryRoot = path.resolve(__dirname, '../..');

/** Pulumi's own program; the npm wrapper passes no signals on. */
export function pulumiProgram(): string {
  const home = process.env.PULUMI_HOME ?? path.join(os.homedir(), '.pulumi');
  const manifest = JSON.parse(
    fs.readFileSync(path.join(repositoryRoot, 'node_modules/pulumi/package.json'), 'utf8'),
  ) as { version: string };
  return path.join(home, 'versions', manifest.version, 'bin', 'pulumi');
}

export interface WorkspaceOptions {
  /** The project: the directory of Pulumi.yaml. Default: this repository. */
  readonly project?: string;
  /** Directory of a policy pack that every preview and update has to pass. */
  readonly policyPack?: string;
  readonly passphrase?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Backend directory; default: a temporary one. */
  readonly backend?: string;
}

/** One Pulumi project with a file backend of its own. */
export class Workspace {
  readonly project: string;
  readonly backend: string;
  readonly env: NodeJS.ProcessEnv;

  constructor(options: WorkspaceOptions = {}) {
    this.project = options.project ?? repositoryRoot;
    this.backend = options.backend ?? tempDir(0o700);
    const bin = path.dirname(pulumiProgram());
    this.env = {
      ...process.env,
      PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}`,
      PULUMI_BACKEND_URL: `file://${this.backend}`,
      PULUMI_CONFIG_PASSPHRASE: options.passphrase ?? 'test',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: 'true',
      ...(options.policyPack === undefined ? {} : { PULUMI_OPTION_POLICY_PACK: options.policyPack }),
      ...options.env,
    };
  }

  /** Runs `pulumi …` to its end, whatever the exit code. Never asks. */
  run(args: readonly string[], input?: string): Promise<Ran> {
    return run(pulumiProgram(), [...args, '--non-interactive', '--color=never'], {
      cwd: this.project,
      env: this.env,
      ...(input === undefined ? {} : { input }),
    });
  }

  /** Runs `pulumi …`, which must succeed; its standard output. */
  async succeed(args: readonly string[], input?: string): Promise<string> {
    const ran = await this.run(args, input);
    if (ran.code !== 0)
      throw new Error(`pulumi ${args.join(' ')} ended with ${ran.code}:\n${ran.stderr}\n${ran.stdout}`);
    return ran.stdout;
  }

  /** Runs `pulumi … --json`, which must succeed. */
  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.succeed([...args, '--json'])) as T;
  }

  outputs<T>(stack: string): Promise<T> {
    return this.json<T>(['stack', 'output', '--show-secrets', '--stack', stack]);
  }

  /** Starts `pulumi …` as the leader of a process group: `process.kill(-child.pid)` reaches its plugins too. */
  start(args: readonly string[]): ChildProcess {
    return spawn(pulumiProgram(), [...args, '--non-interactive', '--color=never'], {
      cwd: this.project,
      env: this.env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}
