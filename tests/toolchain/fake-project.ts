import fs from 'node:fs';
import path from 'node:path';
import { tempDir } from '../support/temp';

const fakes = path.join(__dirname, 'fakes');

export interface Behaviour {
  readonly download?: 'works' | 'slow' | 'hangs' | 'incomplete' | 'refused';
  readonly build?: 'works' | 'slow' | 'hangs' | 'fails';
  readonly goVersion?: string;
}

/** A project whose downloads and builds are those of small scripts, and an empty Pulumi home. */
export class FakeProject {
  readonly directory = tempDir();
  readonly pulumiHome = path.join(this.directory, 'pulumi home');
  private readonly logFile = path.join(this.directory, 'log');
  /** First on the PATH. */
  readonly bin = path.join(this.directory, 'bin');

  constructor() {
    this.script('node_modules/.bin/pulumi', 'pulumi.sh');
    this.script('bin/go', 'go.sh');
    for (const source of [
      'go.mod',
      'cmd/pulumi-language-nodejs/main.go',
      'cmd/pulumi-resource-command/main.go',
      'cmd/pulumi-resource-postgresql/main.go',
      'internal/command/provider.go',
      'internal/postgresql/provider.go',
    ])
      this.write(path.join('toolchain', source), source);
  }

  private script(name: string, fake: string): void {
    fs.mkdirSync(path.dirname(path.join(this.directory, name)), { recursive: true });
    fs.copyFileSync(path.join(fakes, fake), path.join(this.directory, name));
    fs.chmodSync(path.join(this.directory, name), 0o755);
  }

  write(name: string, contents: string): void {
    const file = path.join(this.directory, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, contents);
  }

  /** What the scripts need to know; the PATH has them first. */
  environment(behaviour: Behaviour): Record<string, string> {
    return {
      PATH: `${this.bin}${path.delimiter}${process.env.PATH ?? ''}`,
      FAKE_LOG: this.logFile,
      FAKE_PULUMI: path.join(this.directory, 'node_modules/.bin/pulumi'),
      FAKE_DOWNLOAD: behaviour.download ?? 'refused',
      FAKE_BUILD: behaviour.build ?? 'works',
      FAKE_GO_VERSION: behaviour.goVersion ?? 'go1.26.0',
    };
  }

  /** What was run since the last look. */
  calls(): string[] {
    const log = this.read('log') ?? '';
    fs.rmSync(this.logFile, { force: true });
    return log.split('\n').filter(Boolean);
  }

  read(name: string): string | undefined {
    const file = path.join(this.directory, name);
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined;
  }

  /** Puts a program where an official installation would. */
  installOfficial(program: string): void {
    this.write(path.join('pulumi home', program), '#!/bin/sh\n# official\n');
    fs.chmodSync(path.join(this.pulumiHome, program), 0o755);
  }

  /** What lies in the Pulumi home, the lock apart. */
  installed(): string[] {
    if (!fs.existsSync(this.pulumiHome)) return [];
    return fs
      .readdirSync(this.pulumiHome, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile() && !entry.name.endsWith('.lock'))
      .map(entry => path.relative(this.pulumiHome, path.join(entry.parentPath, entry.name)))
      .sort();
  }

  /** How a program in the Pulumi home came there: the last line that the scripts wrote into it. */
  origin(program: string): string | undefined {
    return this.read(path.join('pulumi home', program))?.trim().split('\n').at(-1)?.slice(2);
  }
}

export const programs = {
  cli: 'versions/3.259.0/bin/pulumi',
  host: 'versions/3.259.0/bin/pulumi-language-nodejs',
  command: 'plugins/resource-command-v1.2.1/pulumi-resource-command',
  postgresql: 'plugins/resource-postgresql-v3.18.1/pulumi-resource-postgresql',
} as const;
