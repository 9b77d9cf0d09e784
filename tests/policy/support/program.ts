import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot, Workspace } from '../../support/pulumi';
import { tempDir } from '../../support/temp';
import type { Ran } from '../../support/processes';

/** The pack as a team names it. */
export const packDirectory = path.join(repositoryRoot, 'policy');

/*
 * A cluster as Holdfast's components make one, but of a command that only leaves a mark each time it runs; and resources that
 * have the types and inputs of AWS's, but nothing behind them: components, which need no provider.
 */
const source = `
const pulumi = require('@pulumi/pulumi');
const command = require('@pulumi/command');
const fs = require('node:fs');
fs.appendFileSync(process.env.TEST_RUNS, pulumi.runtime.isDryRun() ? 'preview\\n' : 'update\\n');
class HostCluster extends pulumi.ComponentResource {
  constructor(name) {
    super('holdfast:host:HostCluster', name, {}, {});
    this.apply = new command.local.Command(name + '-apply', {
      create: 'cat >> "$MARKS"',
      stdin: pulumi.secret(process.env.TEST_SPECIFICATION + '\\n'),
      environment: { MARKS: process.env.TEST_MARKS },
      logging: 'none',
    }, { parent: this, protect: process.env.TEST_UNPROTECTED === undefined, additionalSecretOutputs: ['stdout', 'stderr'] });
    this.registerOutputs({});
  }
}
const shop = new HostCluster('shop');
const later = shop.apply.stdout;
for (const { type, name, inputs } of JSON.parse(process.env.TEST_RESOURCES)) {
  const known = Object.entries(inputs).map(([key, value]) => [key, value?.later === undefined ? value : later.apply(() => value.later)]);
  new pulumi.ComponentResource(type, name, Object.fromEntries(known), { protect: true });
}
`;

/** A resource of AWS: its type, name and inputs. An input `{later: …}` isn't known in the preview that creates the cluster. */
export interface Declaration {
  readonly type: string;
  readonly name: string;
  readonly inputs: Readonly<Record<string, unknown>>;
}

export interface Run {
  /** Settings below `holdfast:`; none at all when undefined. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What the cluster shop answers; a text is printed as it is, undefined fails. */
  readonly evidence?: unknown;
  /** The rest of the pack's configuration. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  readonly specification?: string;
  readonly resources?: readonly Declaration[];
  readonly unprotected?: boolean;
  /** Another pack than that of the checkout. */
  readonly pack?: string;
}

/** A Pulumi project of its own, whose only stack is judged by the pack. */
export class TestProgram {
  private readonly directory = tempDir(0o700);
  private readonly workspace: Workspace;
  private readonly marksFile = path.join(this.directory, 'marks');
  private readonly runsFile = path.join(this.directory, 'runs');
  private readonly evidenceFile = path.join(this.directory, 'evidence.json');
  private readonly configurationFile = path.join(this.directory, 'pack.json');
  private readonly stackFile: string;
  private salt = '';

  constructor() {
    const project = path.join(this.directory, 'a project');
    fs.mkdirSync(project);
    fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(project, 'node_modules'));
    fs.writeFileSync(
      path.join(project, 'package.json'),
      '{ "name": "shop", "version": "1.0.0", "main": "index.js" }',
    );
    fs.writeFileSync(path.join(project, 'index.js'), source);
    fs.writeFileSync(
      path.join(project, 'Pulumi.yaml'),
      'name: shop\nruntime: { name: nodejs, options: { typescript: false } }\n',
    );
    this.stackFile = path.join(project, 'Pulumi.prod.yaml');
    this.workspace = new Workspace({ project });
  }

  async init(): Promise<this> {
    await this.workspace.succeed(['stack', 'init', 'prod']);
    this.salt = fs.readFileSync(this.stackFile, 'utf8');
    return this;
  }

  /** What the cluster's command got, one line each time it ran. */
  marks(): string[] {
    return lines(this.marksFile);
  }

  /** How often the program itself ran, as preview or update. */
  runs(): string[] {
    return lines(this.runsFile);
  }

  /** Everything that the state holds. */
  async state(): Promise<unknown> {
    const exported = await this.workspace.succeed(['stack', 'export', '--show-secrets', '--stack', 'prod']);
    return (JSON.parse(exported) as { deployment: { resources: unknown } }).deployment.resources;
  }

  preview(run: Run): Promise<Ran> {
    return this.pulumi(['preview'], run);
  }

  update(run: Run): Promise<Ran> {
    return this.pulumi(['up', '--yes', '--skip-preview'], run);
  }

  private pulumi(command: readonly string[], run: Run): Promise<Ran> {
    this.writeSettings(run.settings);
    const { evidence } = run;
    if (evidence === undefined) fs.rmSync(this.evidenceFile, { force: true });
    else
      fs.writeFileSync(this.evidenceFile, typeof evidence === 'string' ? evidence : JSON.stringify(evidence));
    const shop = { type: 'command', command: ['cat', this.evidenceFile] };
    fs.writeFileSync(
      this.configurationFile,
      JSON.stringify({ 'evidence-known': { sources: { shop } }, ...run.configuration }),
    );
    const pack = ['--policy-pack', run.pack ?? packDirectory, '--policy-pack-config', this.configurationFile];
    Object.assign(this.workspace.env, {
      TEST_MARKS: this.marksFile,
      TEST_RUNS: this.runsFile,
      TEST_SPECIFICATION: run.specification ?? 'first',
      TEST_RESOURCES: JSON.stringify(run.resources ?? []),
    });
    if (run.unprotected === true) this.workspace.env.TEST_UNPROTECTED = 'yes';
    else delete this.workspace.env.TEST_UNPROTECTED;
    return this.workspace.run([...command, '--stack', 'prod', ...pack]);
  }

  private writeSettings(settings: Run['settings'] = {}): void {
    const config = Object.fromEntries(
      Object.entries(settings).map(([key, value]) => [`holdfast:${key}`, value]),
    );
    // JSON is YAML.
    fs.writeFileSync(this.stackFile, `${this.salt.trim()}\nconfig: ${JSON.stringify(config)}\n`);
  }
}

/** The rules that Pulumi says were violated, with their level. */
export const violatedRules = (output: string): string[] =>
  [...output.matchAll(/^\s+- \[(mandatory|advisory)\].*?  ([\w-]+)  \(/gm)].map(
    ([, level, rule]) => `${level} ${rule}`,
  );

function lines(file: string): string[] {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : [];
}
