import fs from 'node:fs';
import path from 'node:path';
import { homeWithAwsProvider } from '../support/aws-provider/install';
import { region } from '../support/moto/moto';
import type { Ran } from '../support/processes';
import { repositoryRoot, Workspace } from '../support/pulumi';
import { tempDir } from '../support/temp';

/** Overrides of the program's arguments by resource; null leaves a resource out. */
export type Overrides = Readonly<Record<string, Readonly<Record<string, unknown>> | null>>;

export interface State {
  readonly urn: string;
  readonly type: string;
  readonly id: string;
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
}

/** A Pulumi project with one resource of every type that the provider for tests carries: `aws-program.js`. */
export class AwsProject {
  private constructor(
    private readonly directory: string,
    private readonly workspace: Workspace,
  ) {}

  static async create(environment: NodeJS.ProcessEnv = {}): Promise<AwsProject> {
    const directory = tempDir(0o700);
    const write = (name: string, contents: string) => fs.writeFileSync(path.join(directory, name), contents);
    write('Pulumi.yaml', 'name: everything\nruntime: { name: nodejs, options: { typescript: false } }\n');
    write('package.json', '{ "name": "everything", "optionalDependencies": { "@pulumi/aws": "*" } }');
    fs.copyFileSync(path.join(__dirname, 'aws-program.js'), path.join(directory, 'index.js'));
    fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(directory, 'node_modules'));
    const env = { PULUMI_HOME: await homeWithAwsProvider(), ...environment };
    const workspace = new Workspace({ project: directory, env });
    await workspace.succeed(['stack', 'init', 'test']);
    await workspace.succeed(['config', 'set', 'aws:region', region]);
    const project = new AwsProject(directory, workspace);
    project.declare({});
    return project;
  }

  declare(overrides: Overrides): void {
    fs.writeFileSync(path.join(this.directory, 'overrides.json'), JSON.stringify(overrides));
  }

  run(...args: string[]): Promise<Ran> {
    return this.workspace.run([...args, '--stack', 'test']);
  }

  /** What a preview would do, as `update instance`, without what stays the same. */
  async plan(...args: string[]): Promise<string[]> {
    const { steps } = await this.workspace.json<{ steps?: { op: string; urn: string }[] }>([
      'preview',
      '--stack',
      'test',
      ...args,
    ]);
    return (steps ?? [])
      .filter(({ op }) => op !== 'same' && op !== 'read')
      .map(({ op, urn }) => `${op} ${urn.split('::').at(-1)}`);
  }

  /** Updates, which must succeed. */
  async up(overrides: Overrides = {}): Promise<void> {
    this.declare(overrides);
    await this.workspace.succeed(['up', '--yes', '--skip-preview', '--stack', 'test']);
  }

  async states(): Promise<State[]> {
    const { deployment } = JSON.parse(
      await this.workspace.succeed(['stack', 'export', '--stack', 'test']),
    ) as {
      deployment: { resources?: State[] };
    };
    return (deployment.resources ?? []).filter(({ type }) => type.startsWith('aws:'));
  }

  async state(name: string): Promise<State> {
    const found = (await this.states()).find(({ urn }) => urn.endsWith(`::${name}`));
    if (found === undefined) throw new Error(`the state has no ${name}`);
    return found;
  }

  /** Everything that Pulumi keeps of the stack. */
  stateText(): string {
    const below = (directory: string): string[] =>
      fs
        .readdirSync(directory, { withFileTypes: true })
        .flatMap(entry =>
          entry.isDirectory() ? below(path.join(directory, entry.name)) : [path.join(directory, entry.name)],
        );
    return below(this.workspace.backend)
      .map(file => fs.readFileSync(file, 'utf8'))
      .join('\n');
  }
}
