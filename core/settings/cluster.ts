import * as z from 'zod';
import { absolutePath, conflict, host, identifier, port, role, systemUser } from './values';
import { backups, rdsBackups } from './backups';
import { rds } from './rds';

const local = z.strictObject({ type: z.literal('local').describe('The machine that runs Pulumi.') });

const ssh = z.strictObject({
  type: z.literal('ssh').describe('Another machine, over SSH.'),
  host: host.describe('Name or address of the machine.').meta({ example: 'db1.example.com' }),
  port: z.number().int().min(1).max(65_535).default(22).describe('Port of sshd.'),
  user: systemUser.describe('User to log in as.').meta({ example: 'deploy' }),
  privateKeyPath: absolutePath
    .describe(
      'Private key on the machine that runs Pulumi. The commands that Pulumi runs over SSH keep it in the state, encrypted.',
    )
    .meta({ example: '/etc/holdfast/id_ed25519' }),
  hostKey: z
    .string()
    .regex(
      /^(ssh-|ecdsa-)\S+ \S+$/,
      'the pinned host key is needed, as ssh-keyscan prints it without the host',
    )
    .describe('The public key that the machine must show.')
    .meta({ example: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…' }),
  sudoUser: systemUser
    .optional()
    .describe(
      'Become this user with `sudo -n` after logging in; needed when `user` is not the owner of the cluster. The program is copied to the home directory of `user`: any other than `root` must be able to read it there.',
    )
    .meta({ example: 'root' }),
  home: absolutePath
    .default('/var/lib/holdfast')
    .describe('Holdfast’s directory on that machine.')
    .meta({ example: '/var/lib/holdfast' }),
  node: z
    .string()
    .min(1)
    .default('node')
    .describe('Node.js ≥ 18 on that machine.')
    .meta({ example: '/usr/bin/node' }),
});

export const connection = z.discriminatedUnion('type', [local, ssh]);

const parameter = z
  .union([z.string().regex(/^\P{Cc}*$/u, 'must be one line'), z.number(), z.boolean()], {
    error: 'must be one line of text, a number, or true or false',
  })
  .meta({ example: '256MB' });

const reserved = [
  'archive_mode',
  'archive_command',
  'port',
  'data_directory',
  'unix_socket_directories',
  'max_prepared_transactions',
  'password_encryption',
  'listen_addresses',
  'ssl',
  'ssl_cert_file',
  'ssl_key_file',
  'hba_file',
  'ident_file',
  'fsync',
  'full_page_writes',
  'restore_command',
];

const postgresSettings = z
  .record(z.string().regex(/^[a-z_]+(\.[a-z_]+)?$/, 'a setting has lower-case letters and "_"'), parameter)
  .superRefine((settings, context) => {
    for (const key of Object.keys(settings))
      if (reserved.includes(key))
        context.addIssue(conflict([key], `${key} is set by Holdfast and can't be changed here`));
  })
  .default({})
  .describe(`Settings of postgresql.conf, by name, except those that Holdfast sets: ${reserved.join(', ')}.`);

const tls = z
  .strictObject({
    certificate: absolutePath
      .describe('Certificate chain on the host, PEM.')
      .meta({ example: '/etc/ssl/shop.pem' }),
    key: absolutePath
      .describe('Its private key on the host, readable by the cluster’s owner only.')
      .meta({ example: '/etc/ssl/private/shop.key' }),
  })
  .optional()
  .describe('TLS; needed as soon as the cluster listens beyond loopback.');

export const managed = z
  .strictObject({
    mode: z.literal('managed').describe('Created by Holdfast.'),
    version: z.number().int().min(13).max(18).default(15).describe('Major version of PostgreSQL.'),
    dataDirectory: absolutePath
      .optional()
      .describe(
        'Data directory. Default: `<home>/clusters/<cluster>/data`. Changing it is refused: data is never moved.',
      ),
    port: port
      .optional()
      .describe('Port. Default: a free one from 5440 on, chosen at the first provision and kept.'),
    listenAddresses: z
      .array(z.string().min(1))
      .min(1)
      .default(['127.0.0.1'])
      .describe('Addresses to listen on. Changing them needs a restart.'),
    allow: z
      .array(
        z
          .union([z.cidrv4(), z.cidrv6()], { error: 'must be a network in CIDR notation' })
          .meta({ example: '10.0.0.0/8' }),
      )
      .default([])
      .describe('Networks beyond loopback that may log in, with SCRAM over TLS.')
      .meta({ example: '[10.0.0.0/8]' }),
    tls,
    settings: postgresSettings,
    allowRestart: z.boolean().default(false).describe('Restart the cluster when a changed setting needs it.'),
  })
  .refine(value => value.tls !== undefined || value.listenAddresses.every(isLoopback), {
    path: ['tls'],
    message: 'a cluster that listens beyond loopback needs tls.certificate and tls.key',
  })
  .refine(value => value.tls !== undefined || value.allow.length === 0, {
    path: ['tls'],
    message: 'networks in `allow` log in over TLS: tls.certificate and tls.key are needed',
  });

function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || /^127\.\d+\.\d+\.\d+$/.test(address);
}

export const existing = z.strictObject({
  mode: z.literal('existing').describe('Adopted with its data.'),
  dataDirectory: absolutePath.describe(
    'Data directory of the cluster to adopt; it is neither moved nor initialised.',
  ),
  port: z.number().int().min(1).max(65_535).describe('Port it listens on.').meta({ example: 5432 }),
  socketDirectory: absolutePath
    .default('/var/run/postgresql')
    .describe('Directory of its Unix socket.')
    .meta({ example: '/var/run/postgresql' }),
  allowRestart: z.boolean().default(false).describe('Restart the cluster once when `archive_mode` is off.'),
  replaceArchiveCommand: z
    .string()
    .min(1)
    .optional()
    .describe(
      'The reason why an `archive_command` of another tool may be replaced; without one, adoption is refused.',
    )
    .meta({ example: 'moving from WAL-G, ticket OPS-12' }),
});

const roleNames = z.array(role).default([]);

export const database = z
  .strictObject({
    schemas: z.array(identifier).min(1).default(['app']).describe('Schemas, owned by the object owner.'),
    extensions: z
      .array(
        z
          .string()
          .regex(/^[a-z0-9_-]+$/)
          .meta({ example: 'pg_trgm' }),
      )
      .default([])
      .describe(
        'Extensions, made and owned by the bootstrap superuser (on RDS by the master user), in the schema `public`. On a machine their packages have to be installed. One that is taken out stays.',
      ),
    applicationRoles: roleNames.describe('Roles that log in, read and write, own nothing.'),
    readOnlyRoles: roleNames.describe('Roles that log in and read.'),
  })
  .prefault({});

/** Roles belong to the whole cluster: the same name twice would be one role that may do both. */
function oneDatabaseEach(
  databases: Readonly<Record<string, z.output<typeof database>>>,
  context: z.RefinementCtx,
): void {
  const owners = new Map<string, string>();
  for (const [databaseName, settings] of Object.entries(databases))
    for (const kind of ['applicationRoles', 'readOnlyRoles'] as const)
      for (const [index, roleName] of settings[kind].entries()) {
        const other = owners.get(roleName);
        if (other !== undefined)
          context.addIssue(
            conflict(
              [databaseName, kind, index],
              `role ${roleName} is also in ${other}: a role belongs to one database, and either reads or writes`,
            ),
          );
        owners.set(roleName, `${databaseName}.${kind}`);
      }
}

const databases = z
  .record(
    identifier.refine(value => !['postgres', 'template0', 'template1'].includes(value), {
      error: 'this database is there already, and PostgreSQL’s own',
    }),
    database,
  )
  .default({})
  .superRefine(oneDatabaseEach)
  .describe('Databases, with roles, schemas and extensions.');

/** A cluster that PostgreSQL and pgBackRest run on a machine. */
const hostCluster = z.strictObject({
  engine: z
    .literal('host')
    // What is left out chooses this alternative, too.
    .optional()
    .default('host')
    .describe('How the cluster is run: PostgreSQL and pgBackRest on a machine.'),
  source: z
    .discriminatedUnion('mode', [managed, existing])
    .prefault({ mode: 'managed' })
    .describe('`managed`: created by Holdfast. `existing`: adopted with its data.'),
  connection: connection.prefault({ type: 'local' }).describe('Where the cluster’s machine is.'),
  owner: systemUser
    .default('postgres')
    .describe(
      'Operating-system user that runs the cluster (when Holdfast runs as root; otherwise it is the current user).',
    ),
  databases,
  backups: backups.describe('How it is backed up and what is promised for it.'),
});

/** A cluster that Amazon RDS runs. */
const rdsCluster = z.strictObject({
  engine: z.literal('rds').describe('How the cluster is run: Amazon RDS for PostgreSQL.'),
  ...rds.shape,
  databases,
  backups: rdsBackups.describe('How it is backed up and what is promised for it.'),
});

/** One PostgreSQL cluster. */
export const cluster = z.discriminatedUnion('engine', [hostCluster, rdsCluster]).prefault({});
