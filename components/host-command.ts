import * as command from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import path from 'node:path';
import type { SshConnection } from '../core/settings/stack';
import { readPrivateKey } from '../jobs/private-key';
import { quote, uploadedProgram } from '../jobs/ssh';
import type { Place } from '../jobs/where';
import type { StackContext } from './context';

/** One resource whose life is that of something where a cluster is looked after, kept up by `holdfast host …` there. */
export type HostCommand = command.local.Command | command.remote.Command;

export interface HostCommandArgs {
  readonly place: Place;
  /** `holdfast host <create>` runs at first and whenever something changed: it has to be idempotent. */
  readonly create?: string;
  /** `holdfast host <delete>` of the installed program runs on deletion; without one nothing happens then. */
  readonly delete?: string;
  /** What the command reads; secret as a whole. */
  readonly document: object;
  /** Shown in previews: what changed beside the document, which is secret. */
  readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Makes a HostCommand. Neither the document nor what is printed is ever shown; a failing command shows its standard error, in
 * which the program prints no secrets.
 */
export function hostCommand(
  name: string,
  args: HostCommandArgs,
  context: StackContext,
  options: pulumi.CustomResourceOptions,
): HostCommand {
  const { place } = args;
  const inputs = {
    ...(args.create === undefined ? {} : { create: createLine(args, args.create, context) }),
    ...(args.delete === undefined ? {} : { delete: deleteLine(args, args.delete, context) }),
    stdin: pulumi.secret(JSON.stringify(args.document)),
    addPreviousOutputInEnv: false,
  };
  const opts = pulumi.mergeOptions(options, { additionalSecretOutputs: ['stdout', 'stderr'] });
  if (place.type !== 'ssh')
    return new command.local.Command(
      name,
      { ...inputs, logging: command.local.Logging.None, environment: { ...args.labels } },
      opts,
    );
  return new command.remote.Command(
    name,
    { ...inputs, logging: command.remote.Logging.None, connection: sshConnection(place) },
    opts,
  );
}

/**
 * Brings the program to a machine over SSH, before anything of Holdfast is there: into the login directory, from where
 * `host apply` installs it. Nothing is needed on this machine.
 */
export function uploadProgram(
  name: string,
  place: Place,
  context: StackContext,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  if (place.type !== 'ssh') return [];
  const login = sshConnection(place);
  const directory = path.posix.dirname(uploadedProgram);
  const made = new command.remote.Command(
    `${name}-directory`,
    { connection: login, create: `mkdir -p ${directory}`, logging: command.remote.Logging.None },
    options,
  );
  const copied = new command.remote.CopyToRemote(
    `${name}-program`,
    {
      connection: login,
      source: new pulumi.asset.FileAsset(context.program.file),
      remotePath: uploadedProgram,
    },
    { ...options, dependsOn: [made] },
  );
  return [copied];
}

/** On this machine the checkout's program runs, found from the project's directory: the same words on every machine. */
function createLine({ place, labels = {} }: HostCommandArgs, verb: string, { home }: StackContext): string {
  if (place.type !== 'ssh') return words(['exec', 'node', 'bin/holdfast.mjs', ...call(place, home, verb)]);
  // sshd passes no environment on; as assignments in the command line the labels show in previews all the same.
  const assignments = Object.entries(labels).map(([key, value]) => `${key}=${quote(value)}`);
  return [
    ...assignments,
    words([...become(place), place.node, uploadedProgram, ...call(place, home, verb)]),
  ].join(' ');
}

/** The installed program, where there is one: a destroy may run without the checkout, and never has a newer one's sources. */
function deleteLine({ place }: HostCommandArgs, verb: string, { home }: StackContext): string {
  const arguments_ = call(place, home, verb);
  switch (place.type) {
    case 'aws':
      return words(['exec', 'node', 'bin/holdfast.mjs', ...arguments_]);
    case 'local':
      return words(['exec', 'node', path.join(home, 'program/holdfast.cjs'), ...arguments_]);
    case 'ssh': {
      const program = path.posix.join(place.home, 'program/holdfast.cjs');
      return words([...become(place), place.node, program, ...arguments_]);
    }
  }
}

function call(place: Place, home: string, verb: string): string[] {
  if (place.type === 'aws') return ['host', verb, '--region', place.region];
  return ['host', verb, '--home', place.type === 'ssh' ? place.home : home];
}

const become = ({ sudoUser }: SshConnection): string[] =>
  sudoUser === undefined ? [] : ['sudo', '-n', '-u', sudoUser, '--'];

const words = (list: readonly string[]): string => list.map(quote).join(' ');

function sshConnection(connection: SshConnection): command.types.input.remote.ConnectionArgs {
  return {
    host: connection.host,
    port: connection.port,
    user: connection.user,
    privateKey: pulumi.secret(readPrivateKey(connection)),
    hostKey: connection.hostKey,
    dialErrorLimit: 3,
  };
}
