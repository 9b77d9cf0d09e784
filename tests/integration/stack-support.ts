import fs from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { parse, stringify } from 'yaml';
import { embeddedPassphrase } from '../../jobs/embedded';
import { run, type Ran } from '../support/processes';
import { repositoryRoot, Workspace } from '../support/pulumi';
import { tempDir } from '../support/temp';

export type StackName = 'staging' | 'prod';

export interface Outputs {
  readonly clusters: Record<string, { host: string; port: number; stanza: string; verdict: string }>;
  readonly passwords: Record<string, Record<string, string>>;
}

interface Step {
  readonly op: string;
  readonly urn: string;
}

/** A home of Holdfast of its own, with Pulumi's state in it, as the embedded default has it. */
export class Place {
  readonly home: string;
  readonly workspace: Workspace;
  private readonly settings: string;

  constructor() {
    this.home = tempDir(0o711);
    this.settings = tempDir(0o700);
    const backend = path.join(this.home, 'pulumi');
    fs.mkdirSync(backend, { mode: 0o700 });
    this.workspace = new Workspace({
      backend,
      passphrase: embeddedPassphrase,
      env: { HOLDFAST_HOME: this.home },
    });
  }

  async initialise(stack: StackName): Promise<void> {
    await this.workspace.succeed(['stack', 'init', stack]);
  }

  /** A stack file with these settings and the committed salt, as an argument of Pulumi's commands. */
  stackFile(stack: StackName, config: Readonly<Record<string, unknown>>): string[] {
    const committed = parse(
      fs.readFileSync(path.join(repositoryRoot, `Pulumi.${stack}.yaml`), 'utf8'),
    ) as Record<string, unknown>;
    const file = path.join(this.settings, `Pulumi.${stack}.${fs.readdirSync(this.settings).length}.yaml`);
    const prefixed = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [`holdfast:${key}`, value]),
    );
    fs.writeFileSync(file, stringify({ encryptionsalt: committed.encryptionsalt, config: prefixed }));
    return ['--stack', stack, '--config-file', file];
  }

  up(stackFile: readonly string[], ...options: string[]): Promise<Ran> {
    return this.workspace.run(['up', '--yes', '--skip-preview', ...stackFile, ...options]);
  }

  preview(stackFile: readonly string[], ...options: string[]): Promise<Ran> {
    return this.workspace.run(['preview', ...stackFile, ...options]);
  }

  /** What a preview would do, as `update prod-cluster-apply`, without what stays the same. */
  async plannedSteps(stackFile: readonly string[]): Promise<string[]> {
    const { steps } = await this.workspace.json<{ steps?: Step[] }>(['preview', ...stackFile]);
    return (steps ?? [])
      .filter(({ op }) => op !== 'same' && op !== 'read')
      .map(({ op, urn }) => `${op} ${urn.split('::').at(-1)}`);
  }

  outputs(stack: StackName): Promise<Outputs> {
    return this.workspace.outputs<Outputs>(stack);
  }

  /** Everything that Pulumi keeps of a stack. */
  stateText(): string {
    return filesBelow(this.workspace.backend)
      .map(file => fs.readFileSync(file, 'utf8'))
      .join('\n');
  }

  async resourceCount(stack: StackName): Promise<number> {
    const { deployment } = await this.exported(stack);
    return deployment.resources?.length ?? 0;
  }

  private async exported(stack: StackName): Promise<{ deployment: { resources?: unknown[] } }> {
    return JSON.parse(await this.workspace.succeed(['stack', 'export', '--stack', stack])) as {
      deployment: { resources?: unknown[] };
    };
  }

  clusterDirectory(cluster: string): string {
    return path.join(this.home, 'clusters', cluster);
  }

  /** Runs the program of this checkout as Pulumi does. */
  host(verb: string, input: object, home = this.home): Promise<Ran> {
    const program = path.join(repositoryRoot, 'bin/holdfast.mjs');
    return run(process.execPath, [program, 'host', verb, '--home', home], {
      input: JSON.stringify(input),
    });
  }

  /** A query as the bootstrap superuser, over the private socket, as the cluster's owner. */
  async asSuperuser(cluster: string, database: string, sql: string): Promise<string> {
    const pidFile = path.join(this.clusterDirectory(cluster), 'data/postmaster.pid');
    const [, directory = '', , port = '', socket = ''] = fs.readFileSync(pidFile, 'utf8').split('\n');
    const { uid, gid } = fs.statSync(directory);
    const args = ['-X', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-h', socket, '-p', port, '-d', database];
    const ran = await run('psql', [...args, '-U', 'postgres', '-c', sql], { uid, gid, cwd: '/' });
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout.trim();
  }
}

/** Runs `use` with a connection of one role. */
export async function withClient<T>(
  login: { port: number; database: string; user: string; password: string },
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({ host: '127.0.0.1', ...login });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

export const rowsOf = (login: Parameters<typeof withClient>[0], sql: string): Promise<object[]> =>
  withClient(login, async client => (await client.query<object>(sql)).rows);

function filesBelow(directory: string): string[] {
  return fs
    .readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath, entry.name));
}

/** Collects the command line and nothing else of every process that is seen while `work` runs. */
export async function commandLinesDuring<T>(work: Promise<T>): Promise<{ result: T; commandLines: string }> {
  const seen = new Set<string>();
  const look = () => {
    for (const pid of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)))
      try {
        seen.add(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
      } catch {
        // It has ended meanwhile.
      }
  };
  const timer = setInterval(look, 20);
  try {
    const result = await work;
    return { result, commandLines: [...seen].join('\n') };
  } finally {
    clearInterval(timer);
  }
}

/** What belongs to roles that log in, in a database and cluster-wide, the bootstrap superuser apart: one line each. */
export const ownedByLogins = `
  select rolname || ': ' || pg_describe_object(classid, objid, objsubid) from pg_shdepend
    join pg_roles on refobjid = pg_roles.oid
    where refclassid = 'pg_authid'::regclass and deptype = 'o' and rolcanlogin
      and dbid in (0, (select oid from pg_database where datname = current_database()))
  union all select rolname || ': ' || kind || ' ' || name from (
    select extowner, 'extension', extname from pg_extension
    union all select relowner, 'relation', relname from pg_class
    union all select nspowner, 'schema', nspname from pg_namespace
    union all select proowner, 'function', proname from pg_proc
    union all select typowner, 'type', typname from pg_type
    union all select datdba, 'database', datname from pg_database
  ) as owned (owner, kind, name) join pg_roles on owner = pg_roles.oid where rolcanlogin and owner <> 10`;
