import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repositoryRoot, Workspace } from '../support/pulumi';
import { tempDir } from '../support/temp';

/** Makes resources of the official SDK from a file, so that a test changes data, not programs. */
const program = `
const fs = require('node:fs');
const pulumi = require('@pulumi/pulumi');
const sdks = { command: require('@pulumi/command'), postgresql: require('@pulumi/postgresql') };
const revive = (key, value) => {
  if (value?.$secret !== undefined) return pulumi.secret(value.$secret);
  if (value?.$text !== undefined) return new pulumi.asset.StringAsset(value.$text);
  if (value?.$file !== undefined) return new pulumi.asset.FileAsset(value.$file);
  if (value?.$directory !== undefined) return new pulumi.asset.FileArchive(value.$directory);
  return value;
};
const made = {};
for (const [name, { type, args, after }] of Object.entries(JSON.parse(fs.readFileSync('resources.json', 'utf8'), revive))) {
  const constructor = type.split('.').reduce((found, part) => found[part], sdks);
  made[name] = new constructor(name, args, { dependsOn: (after ?? []).map(other => made[other]) });
}
`;

export interface Resource {
  /** As in `command.local.Command`. */
  readonly type: string;
  /** `{ $secret }`, `{ $text }`, `{ $file }` and `{ $directory }` stand for Pulumi's values of those kinds. */
  readonly args: Readonly<Record<string, unknown>>;
  /** Names of resources that this one depends on. */
  readonly after?: readonly string[];
}

export type Resources = Readonly<Record<string, Resource>>;

interface Event {
  readonly diagnosticEvent?: { urn?: string; message: string; severity: string; ephemeral?: boolean };
  readonly resourcePreEvent?: { metadata: { op: string; urn: string } };
}

/** What an update did. */
export interface Updated {
  readonly code: number | null;
  /** Each resource's steps, by its name. */
  readonly steps: Readonly<Record<string, string[]>>;
  /** What was shown at a resource while it ran. */
  shown(name: string): string[];
  /** The errors of a resource, or of all. */
  errors(name?: string): string;
}

export interface State {
  readonly id: string;
  readonly inputs: Record<string, unknown>;
  readonly outputs: Record<string, unknown>;
}

/** A Pulumi project with a stack of its own, whose resources are given as data. */
export class CommandProject {
  readonly directory = tempDir(0o700);
  private readonly workspace: Workspace;

  constructor(private readonly env: NodeJS.ProcessEnv = {}) {
    const write = (name: string, contents: string) =>
      fs.writeFileSync(path.join(this.directory, name), contents);
    write('Pulumi.yaml', 'name: commands\nruntime: { name: nodejs, options: { typescript: false } }\n');
    write('package.json', '{ "name": "commands" }');
    write('index.js', program);
    fs.symlinkSync(path.join(repositoryRoot, 'node_modules'), path.join(this.directory, 'node_modules'));
    this.workspace = new Workspace({ project: this.directory, env: this.env });
  }

  create(): Promise<string> {
    return this.workspace.succeed(['stack', 'init', 'test']);
  }

  /** Updates to these resources, whatever comes of it. */
  async up(resources: Resources): Promise<Updated> {
    this.declare(resources);
    return this.change(['up', '--yes', '--skip-preview']);
  }

  /** Begins an update to these resources. */
  startUp(resources: Resources): ChildProcess {
    this.declare(resources);
    return this.workspace.start(['up', '--yes', '--skip-preview', '--stack', 'test']);
  }

  private declare(resources: Resources): void {
    fs.writeFileSync(path.join(this.directory, 'resources.json'), JSON.stringify(resources));
  }

  destroy(): Promise<Updated> {
    return this.change(['destroy', '--yes', '--skip-preview']);
  }

  private async change(args: readonly string[]): Promise<Updated> {
    const { code, stdout, stderr } = await this.workspace.run([...args, '--json', '--stack', 'test']);
    if (!stdout.startsWith('{'))
      throw new Error(`pulumi ${args.join(' ')} printed no events:\n${stderr}${stdout}`);
    const events = stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Event);
    const steps: Record<string, string[]> = {};
    for (const { resourcePreEvent } of events)
      if (resourcePreEvent !== undefined)
        (steps[nameIn(resourcePreEvent.metadata.urn)] ??= []).push(resourcePreEvent.metadata.op);
    const diagnostics = events.flatMap(({ diagnosticEvent }) => diagnosticEvent ?? []);
    return {
      code,
      steps,
      shown: name =>
        diagnostics
          .filter(({ urn, severity }) => nameIn(urn) === name && severity === 'info')
          .map(({ message }) => message.trim()),
      errors: name =>
        diagnostics
          .filter(({ urn, severity }) => severity === 'error' && (name === undefined || nameIn(urn) === name))
          .map(({ message }) => message)
          .join('\n'),
    };
  }

  /** What the stack's state has of a resource, secrets in clear. */
  async state(name: string): Promise<State> {
    const exported = await this.workspace.succeed(['stack', 'export', '--show-secrets', '--stack', 'test']);
    const { deployment } = JSON.parse(exported) as { deployment: { resources: (State & { urn: string })[] } };
    const found = deployment.resources.find(({ urn }) => nameIn(urn) === name);
    if (found === undefined) throw new Error(`the state has no ${name}`);
    return found;
  }

  /** Everything that the backend has on disk: what anybody who reads it sees. */
  backendContents(): string {
    return fs
      .readdirSync(this.workspace.backend, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => fs.readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
      .join('\n');
  }
}

function nameIn(urn: string | undefined): string {
  return urn?.split('::').at(-1) ?? '';
}
