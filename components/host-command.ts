import * as command from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import path from 'node:path';
import type { ConnectionSettings, SshConnection } from '../core/settings/stack';
import { readPrivateKey } from '../jobs/private-key';
import { quote, uploadedProgram } from '../jobs/ssh';
import type { StackContext } from './context';

/** One resource whose life is that of something on a cluster's machine, kept up by `holdfast host …` there. */
export type HostCommand = command.local.Command | command.remote.Command;

export interface HostCommandArgs {
  readonly connection: ConnectionSettings;
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
  const { connection } = args;
  const inputs = {
    ...(args.create === undefined ? {} : { create: createLine(args, args.create, context) }),
    ...(args.delete === undefined ? {} : { delete: deleteLine(args, args.delete, context) }),
    stdin: pulumi.secret(JSON.stringify(args.document)),
    addPreviousOutputInEnv: false,
  };
  const opts = pulumi.mergeOptions(options, { additionalSecretOutputs: ['stdout', 'stderr'] });
  if (connection.type === 'local')
    return new command.local.Command(
      name,
      { ...inputs, logging: command.local.Logging.None, environment: { ...args.labels } },
      opts,
    );
  return new command.remote.Command(
    name,
    { ...inputs, logging: command.remote.Logging.None, connection: sshConnection(connection) },
    opts,
  );
}

/**
 * Brings the program to a machine over SSH, before anything of Holdfast is there: into the login directory, from where
 * `host apply` installs it. Nothing is needed on this machine.
 */
export function uploadProgram(
  name: string,
  connection: ConnectionSettings,
  context: StackContext,
  options: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  if (connection.type === 'local') return [];
  const login = sshConnection(connection);
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
function createLine(args: HostCommandArgs, verb: string, { home }: StackContext): string {
  const { connection, labels = {} } = args;
  if (connection.type === 'local') return words(['exec', 'node', 'bin/holdfast.mjs', ...call(home, verb)]);
  // sshd passes no environment on; as assignments in the command line the labels show in previews all the same.
  const assignments = Object.entries(labels).map(([key, value]) => `${key}=${quote(value)}`);
  return [
    ...assignments,
    words([...become(connection), connection.node, uploadedProgram, ...call(connection.home, verb)]),
  ].join(' ');
}

/** The installed program: a destroy may run without the checkout, and never has a newer one's sources. */
function deleteLine({ connection }: HostCommandArgs, verb: string, { home }: StackContext): string {
  if (connection.type === 'local')
    return words(['exec', 'node', path.join(home, 'program/holdfast.cjs'), ...call(home, verb)]);
  const program = path.posix.join(connection.home, 'program/holdfast.cjs');
  return words([...become(connection), connection.node, program, ...call(connection.home, verb)]);
}

const call = (home: string, verb: string): string[] => ['host', verb, '--home', home];

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
