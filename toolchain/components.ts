import path from 'node:path';

/** The Pulumi CLI's version, that of the npm package `pulumi`, whose wrapper looks for it. */
export const pulumiVersion = '3.259.0';

/** One program that is built, and where it goes below the component's directory. */
export interface Program {
  readonly output: string;
  /** A Go package: an import path, or relative to the Go module. */
  readonly goPackage: string;
  readonly linkerFlags?: string;
}

/** What is installed together: a directory that is there whole or not at all. */
export interface Component {
  readonly name: string;
  /** Where it goes below `$PULUMI_HOME`: where Pulumi looks for it. */
  readonly directory: string;
  readonly programs: readonly Program[];
  /** The arguments of `pulumi` that download it into `$PULUMI_HOME`. */
  readonly downloadArguments: readonly string[];
  /** Files and directories of the Go module whose change makes what we built outdated. */
  readonly sources: readonly string[];
  /** How long a first build takes, in words. */
  readonly buildTime: string;
}

const sdkVersion = `-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`;

function plugin(name: string, version: string, sources: readonly string[]): Component {
  return {
    name: `Pulumi plugin ${name} ${version}`,
    directory: path.join('plugins', `resource-${name}-v${version}`),
    programs: [
      {
        output: `pulumi-resource-${name}`,
        goPackage: `./cmd/pulumi-resource-${name}`,
      },
    ],
    downloadArguments: ['plugin', 'install', 'resource', name, version],
    sources: ['go.mod', `cmd/pulumi-resource-${name}`, ...sources],
    buildTime: 'about a minute the first time',
  };
}

/** The CLI with its Node.js language host: first, because it downloads the others. */
export const cli: Component = {
  name: `Pulumi CLI ${pulumiVersion}`,
  directory: path.join('versions', pulumiVersion),
  programs: [
    {
      output: 'bin/pulumi',
      goPackage: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
      linkerFlags: sdkVersion,
    },
    {
      output: 'bin/pulumi-language-nodejs',
      goPackage: './cmd/pulumi-language-nodejs',
      linkerFlags: sdkVersion,
    },
  ],
  // Any command makes the npm wrapper download the CLI first.
  downloadArguments: ['version'],
  sources: ['go.mod', 'cmd/pulumi-language-nodejs'],
  buildTime: '3 to 4 minutes the first time',
};

/** Everything that Holdfast's programs need from Pulumi, in the order of installation. */
export const components: readonly Component[] = [
  cli,
  plugin('command', '1.2.1', ['internal/command']),
  plugin('postgresql', '3.18.1', ['internal/postgresql']),
];
