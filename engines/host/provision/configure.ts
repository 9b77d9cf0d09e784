import fs from 'node:fs/promises';
import path from 'node:path';
import { HoldfastError } from '../../../core/errors';
import { readIfThere, writeAtomically } from '../files';
import { accessLines, renderAccess } from '../postgres/access';
import {
  changedSettings,
  parseSettings,
  renderSettings,
  type Settings,
} from '../postgres/configuration-file';
import { serverEnvironment } from '../postgres/server';
import { managedSettings } from '../postgres/settings';
import { run, type ProcessError } from '../process';
import type { ProvisionContext } from './context';

/** Files of a data directory that configure its server. */
export const configurationFiles = (dataDirectory: string) => ({
  settings: path.join(dataDirectory, 'postgresql.conf'),
  access: path.join(dataDirectory, 'pg_hba.conf'),
  /** Written by ALTER SYSTEM; read last, so that it wins. */
  overrides: path.join(dataDirectory, 'postgresql.auto.conf'),
});

/** Settings in postgresql.auto.conf that a restore leaves, and that mean nothing on a cluster that has recovered. */
const leftByRestore = /^(restore_command|recovery_(target|end|min)\w*|archive_cleanup_command|primary_\w+)$/;

/** Settings that ALTER SYSTEM put over the configuration file of a managed cluster. */
export function overriding(autoConf: string): Settings {
  return Object.fromEntries(
    Object.entries(parseSettings(autoConf)).filter(([name]) => !leftByRestore.test(name)),
  );
}

/** The settings of a managed cluster as its files have them, with what ALTER SYSTEM put over them. */
export async function settingsInFiles(dataDirectory: string): Promise<Settings> {
  const files = configurationFiles(dataDirectory);
  return {
    ...parseSettings((await readIfThere(files.settings)) ?? ''),
    ...overriding((await readIfThere(files.overrides)) ?? ''),
  };
}

/** What is told of a cluster to configure it: nothing of this takes so long that it has to be reported. */
type Configured = Omit<ProvisionContext, 'report'>;

/** What `writeConfiguration` did. */
export interface Written {
  /** `settings.work_mem`, `pg_hba.conf` */
  readonly changed: readonly string[];
  /** Puts the files back as they were. */
  readonly undo: () => Promise<void>;
}

/**
 * Writes the configuration files of a managed cluster, once PostgreSQL's own parser has accepted them. The server isn't told.
 * @throws HoldfastError `configuration` with PostgreSQL's words when it doesn't accept them; nothing is changed then.
 */
export async function writeConfiguration(context: Configured, port: number): Promise<Written> {
  const { specification, paths, superuser } = context;
  const files = configurationFiles(paths.dataDirectory);
  const settings = managedSettings(specification, paths, port);
  const access = renderAccess(specification, superuser);
  const [oldSettings, oldAccess] = [await readIfThere(files.settings), await readIfThere(files.access)];

  const changed = changedSettings(parseSettings(oldSettings ?? ''), settings).map(name => `settings.${name}`);
  const accessChanged = JSON.stringify(accessLines(oldAccess ?? '')) !== JSON.stringify(accessLines(access));
  if (changed.length === 0 && !accessChanged) return { changed: [], undo: () => Promise.resolve() };

  await assertTlsFiles(context);
  await assertAccepted(context, renderSettings(settings));
  if (accessChanged) await writeAtomically(files.access, access);
  if (changed.length > 0) await writeAtomically(files.settings, renderSettings(settings));
  return {
    changed: accessChanged ? [...changed, 'pg_hba.conf'] : changed,
    undo: async () => {
      if (oldSettings !== null) await writeAtomically(files.settings, oldSettings);
      if (oldAccess !== null) await writeAtomically(files.access, oldAccess);
    },
  };
}

/** Lets PostgreSQL read a configuration file as it would at its start. */
async function assertAccepted(context: Configured, text: string): Promise<void> {
  const { installation, paths } = context;
  const candidate = path.join(paths.root, '.postgresql.conf.candidate');
  await writeAtomically(candidate, text);
  try {
    await run(
      path.join(installation.bin, 'postgres'),
      ['-C', 'data_directory', '-D', paths.dataDirectory, '-c', `config_file=${candidate}`],
      { env: serverEnvironment(), cwd: '/', timeoutSeconds: 30 },
    );
  } catch (error) {
    const said = (error as ProcessError).stderr
      .split('\n')
      .filter(line => line.trim() !== '' && !line.includes('contains errors'))
      .map(line => line.replace(/^.*?(?:LOG|FATAL|ERROR|HINT|DETAIL): +/, '').replace(/ in file ".*$/, ''));
    throw new HoldfastError(
      'configuration',
      `PostgreSQL ${installation.release} doesn't accept the settings of cluster ${paths.cluster}: ${said.join('; ')}`,
      { hint: `Change clusters.${paths.cluster}.source.settings. Nothing was changed.`, cause: error },
    );
  } finally {
    await fs.rm(candidate, { force: true });
  }
}

/** A server that is told to reload keeps an old certificate, without a word, when it can't read the new one. */
async function assertTlsFiles({ specification }: Configured): Promise<void> {
  const { source } = specification.settings;
  if (source.mode !== 'managed' || source.tls === undefined) return;
  for (const [key, file] of Object.entries(source.tls))
    await fs.access(file, fs.constants.R_OK).catch((error: unknown) => {
      throw new HoldfastError(
        'configuration',
        `clusters.${specification.cluster}.source.tls.${key}: ${file} can't be read`,
        { hint: 'Put it on the cluster’s machine, readable by the cluster’s owner.', cause: error },
      );
    });
}

/** Takes settings out of postgresql.auto.conf of a server that is stopped. */
export async function removeOverrides(dataDirectory: string, names: readonly string[]): Promise<void> {
  const file = configurationFiles(dataDirectory).overrides;
  const lines = ((await readIfThere(file)) ?? '').split('\n');
  const kept = lines.filter(line => !Object.keys(parseSettings(line)).some(name => names.includes(name)));
  await writeAtomically(file, kept.join('\n'));
}
